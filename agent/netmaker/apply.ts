import { forEachBounded } from '../../cni/host/bounded.ts'
import type { RuleDelete, RuleWrite } from './actions.ts'
import type { NetmakerClient, Write } from './client.ts'
import { NetmakerError } from './errors.ts'

/** What it takes to write. */
export interface ApplyParts {
  readonly client: NetmakerClient
  readonly how: Write
  /** Told of each write that has ended. */
  readonly onWrite: (write: RuleWrite | RuleDelete, error: unknown) => void
}

/** More in flight gains nothing: the server writes one at a time. */
const width = 8

/**
 * Makes new rules, then changes others: a range that goes from node to node is never without one.
 * @throws NetmakerError WritesFailed where the server refused some; the error itself where more would fail as well
 */
export async function applyWrites(writes: readonly RuleWrite[], parts: ApplyParts): Promise<void> {
  const isNew = ({ rule }: RuleWrite) => rule === undefined
  const refused: unknown[] = []
  for (const batch of [writes.filter(isNew), writes.filter(write => !isNew(write))])
    await eachTried(batch, write => send(write, parts), { parts, refused })
  throwRefused(refused, writes.length)
}

/** Takes rules away, as `applyWrites` writes them. */
export async function applyDeletes(deletes: readonly RuleDelete[], parts: ApplyParts): Promise<void> {
  const refused: unknown[] = []
  await eachTried(deletes, ({ rule }) => parts.client.deleteRule(rule, parts.how), { parts, refused })
  throwRefused(refused, deletes.length)
}

function send({ rule, body }: RuleWrite, { client, how }: ApplyParts): Promise<void> {
  return rule === undefined ? client.createRule(body, how) : client.updateRule(rule.id, body, how)
}

interface Trying {
  readonly parts: ApplyParts
  readonly refused: unknown[]
}

/** One that is refused keeps no other back: most often its node has just gone. */
async function eachTried<T extends RuleWrite | RuleDelete>(
  all: readonly T[],
  work: (one: T) => Promise<void>,
  { parts, refused }: Trying,
): Promise<void> {
  await forEachBounded(all, width, async one => {
    try {
      await work(one)
      parts.onWrite(one, undefined)
    } catch (error) {
      parts.onWrite(one, error)
      if (!(error instanceof NetmakerError) || error.code !== 'Refused') throw error
      refused.push(error)
    }
  })
}

function throwRefused(refused: readonly unknown[], total: number): void {
  const [first] = refused
  if (first === undefined) return
  throw new NetmakerError('WritesFailed', `${refused.length} of ${total} writes were refused`, { cause: first })
}
