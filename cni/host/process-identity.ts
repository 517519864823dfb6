import { readFileSync } from 'node:fs'

/** What the kernel says of a process, in its own numbers. */
export interface ProcessFacts {
  readonly pid: number
  /** A letter; see `hasEnded`. */
  readonly state: string
  /** The leader's number. */
  readonly group: number
  /** When it began: ticks since the boot. A number that is given again comes with another one. */
  readonly start: number
}

/** @returns undefined = there is none of that number */
export function processFacts(pid: number | 'self'): ProcessFacts | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name, second and in brackets, may itself hold brackets and spaces.
    const rest = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [state = '', group = '', start = ''] = [rest[0], rest[2], rest[19]]
    return { pid: Number.parseInt(text, 10), state, group: Number(group), start: Number(start) }
  } catch {
    return undefined
  }
}

/** Whether nothing is left of a process but the word that it has ended, for whoever should have waited for it. */
export function hasEnded({ state }: ProcessFacts): boolean {
  return state === 'Z' || state === 'X'
}

/** A name for this process that no other one gets, and that others can ask the kernel about: `PID-START`. */
export function ownIdentity(): string {
  const facts = processFacts('self')
  if (facts === undefined) throw new Error('/proc does not tell who we are')
  return `${facts.pid}-${facts.start}`
}

/** Whether the process of that name still lives. */
export function isLiving(identity: string): boolean {
  const [pid = '', start = ''] = identity.split('-')
  const facts = /^\d+$/.test(pid) ? processFacts(Number(pid)) : undefined
  return facts !== undefined && !hasEnded(facts) && facts.start === Number(start)
}

/** In the environment of every plugin we start: who started it. By it we find those that a dead run has left behind. */
export const STARTER_MARK = 'NOPAL_KACTUS_DELEGATE'
/** And for which folder of state, by those who keep one. */
export const STATE_MARK = 'NOPAL_KACTUS_STATE'
