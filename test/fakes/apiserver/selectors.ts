import { badRequest } from './fault.ts'
import { asObject, asText, type JsonObject, valueAt } from './json.ts'

/** Says whether an object is meant. */
export type Selector = (object: JsonObject) => boolean

type Labels = Readonly<Record<string, unknown>>
type Requirement = (labels: Labels) => boolean

// One requirement of a label selector: `!key`, `key`, `key op value`, `key in (a,b)`.
const setForm = /^([^\s!=(),]+)\s+(in|notin)\s*\(([^()]*)\)$/
const equalForm = /^([^\s!=(),]+)\s*(==|=|!=)\s*([^\s!=(),]*)$/
const existsForm = /^(!?)\s*([^\s!=(),]+)$/

/** Parses a label selector as the API documents it: comma separated, all must hold. */
export function parseLabelSelector(text: string): Selector {
  const requirements = splitOutsideParentheses(text).map(parseRequirement)
  return object => {
    const labels = asObject(valueAt(object, 'metadata.labels'))
    return requirements.every(holds => holds(labels))
  }
}

function parseRequirement(text: string): Requirement {
  const set = setForm.exec(text)
  if (set !== null) return setRequirement(set)
  const equal = equalForm.exec(text)
  if (equal !== null) return equalRequirement(equal)
  const exists = existsForm.exec(text)
  if (exists === null) throw badRequest(`unable to parse requirement: ${text}`)
  const [, not = '', key = ''] = exists
  return labels => (labels[key] === undefined) === (not === '!')
}

function setRequirement([, key = '', operator = '', list = '']: RegExpExecArray): Requirement {
  const values = list.split(',').map(value => value.trim())
  return labels => {
    const value = labels[key]
    const inside = typeof value === 'string' && values.includes(value)
    return operator === 'in' ? inside : !inside
  }
}

function equalRequirement([, key = '', operator = '', wanted = '']: RegExpExecArray): Requirement {
  return labels => (labels[key] === wanted) === (operator !== '!=')
}

function splitOutsideParentheses(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (const letter of text) {
    if (letter === '(') depth += 1
    if (letter === ')') depth -= 1
    if (letter === ',' && depth === 0) {
      parts.push(part)
      part = ''
    } else {
      part += letter
    }
  }
  return [...parts, part].map(one => one.trim()).filter(one => one !== '')
}

/** Parses a field selector; only the named fields can be asked for. */
export function parseFieldSelector(text: string, supported: readonly string[]): Selector {
  const terms = text
    .split(',')
    .filter(term => term !== '')
    .map(term => parseTerm(term, supported))
  return object => terms.every(holds => holds(object))
}

function parseTerm(term: string, supported: readonly string[]): Selector {
  const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(term)
  if (match === null) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`)
  const [, field = '', operator = '', wanted = ''] = match
  if (!supported.includes(field)) throw badRequest(`field label not supported: ${field}`)
  return object => (fieldText(object, field) === wanted) === (operator !== '!=')
}

function fieldText(object: JsonObject, field: string): string {
  const value = valueAt(object, field)
  if (field === 'spec.unschedulable') return String(value === true)
  return asText(value)
}
