import { labelValue, type Parse, qualifiedName, ValueFault } from './parsers.ts'

const operators: readonly { readonly form: RegExp; readonly list?: true }[] = [
  { form: /^!\s*(?<key>\S+)$/ },
  { form: /^(?<key>[^\s!=(),]+)\s*(?:==|!=|=)\s*(?<values>\S*)$/ },
  { form: /^(?<key>\S+)\s+(?:in|notin)\s*\((?<values>[^()]*)\)$/, list: true },
  { form: /^(?<key>\S+)$/ },
]

/**
 * A label selector of Hetzner Cloud: `k=v`, `k==v`, `k!=v`, `k`, `!k`, `k in (a,b)`, `k notin (a,b)`, comma for "and". None
 * at all would mean every server of the project, and is a fault.
 */
export const labelSelector: Parse<string> = text => {
  if (text.trim() === '') throw new ValueFault('is empty, which would select every server of the project')
  // Commas inside parentheses belong to a list of values.
  for (const part of text.split(/,(?![^()]*\))/)) checkPart(part.trim())
  return text
}

function checkPart(part: string): void {
  for (const { form, list } of operators) {
    const groups = form.exec(part)?.groups
    if (groups === undefined) continue
    qualifiedName(groups.key ?? '')
    const values = groups.values ?? ''
    for (const value of list === true ? values.split(',') : [values]) labelValue(value.trim())
    return
  }
  throw new ValueFault(part === '' ? 'has an empty part' : 'is not a label selector')
}
