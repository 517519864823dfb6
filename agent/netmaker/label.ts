/** What the description of a rule says of it: kaput-not's grammar, so either can take over from the other. */
export interface RuleLabel {
  /** Empty where the rule names none. */
  readonly cluster: string
  /** Place of the range among the pod CIDRs of its node. */
  readonly index: number
}

const mark = 'Managed by kaput-not (DO NOT EDIT)'

/** Reads a description; undefined for a rule that is not managed. An index that is none is 0, as kaput-not has it. */
export function parseDescription(description: string): RuleLabel | undefined {
  if (!description.startsWith(`${mark}:`)) return undefined
  const words = description
    .slice(mark.length + 1)
    .trim()
    .split(/\s+/)
  const wordOf = (key: string) => words.find(word => word.startsWith(`${key}=`))?.slice(key.length + 1) ?? ''
  const index = Number.parseInt(wordOf('index'), 10)
  return { cluster: wordOf('cluster'), index: Number.isSafeInteger(index) ? index : 0 }
}

export function writeDescription({ cluster, index }: RuleLabel): string {
  return `${mark}: ${cluster === '' ? '' : `cluster=${cluster} `}index=${index}`
}

/** The name of a rule, for people. */
export function writeName(node: string, index: number, total: number): string {
  return `${node} pods (${index + 1}/${total})`
}

/** The node that a rule's name names. */
export function nodeOfName(name: string): string | undefined {
  return /^(\S+) pods \(\d+\/\d+\)$/.exec(name)?.[1]
}
