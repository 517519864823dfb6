/** What kactus did and could not do on a node. */
export interface PluginLog {
  /** Pods attached. */
  readonly attached: number
  /** Errors, in its own words; of a pod that was deleted while it started there may be some. */
  readonly errors: readonly string[]
}

interface Line {
  readonly level: string
  readonly msg: string
}

const podGone = /^there is no pod |is another pod of that name by now/

/** Reads what kactus has logged, at level info. */
export function readPluginLog(text: string): PluginLog {
  const lines = text.split('\n').filter(line => line !== '')
  const said = lines.map(line => JSON.parse(line) as Line)
  const errors = said.filter(({ level, msg }) => level === 'error' && !podGone.test(msg)).map(({ msg }) => msg)
  return { attached: said.filter(({ msg }) => msg === 'ADD done').length, errors }
}
