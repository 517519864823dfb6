import { forEachBounded } from '../host/bounded.ts'
import type { Log } from '../host/log.ts'
import { isNetns } from '../host/netns.ts'
import type { Attachment } from '../networks/record.ts'
import type { AttachTo } from '../spec/chain.ts'
import { addChain, delChain } from '../spec/chain.ts'
import type { ConfList } from '../spec/conf.ts'
import { CniError, toCniError } from '../spec/errors.ts'
import type { JsonObject } from '../spec/json.ts'
import type { PluginRunner } from '../spec/plugin.ts'
import { titleOf } from './plan.ts'
import type { RecordProgress } from './record-writer.ts'

/** What attaching and detaching need to work on one container. */
export interface Workbench {
  readonly runner: PluginRunner
  readonly writer: RecordProgress
  readonly log: Log
  /** How many delegates run side by side. */
  readonly width: number
}

/**
 * Finds every executable: one that is missing must not cost the work of undoing the rest.
 * @throws CniError
 */
export async function findPlugins(runner: PluginRunner, lists: readonly ConfList[]): Promise<void> {
  const types = new Set(lists.flatMap(({ plugins }) => plugins.map(({ type }) => type)))
  await Promise.all([...types].map(type => runner.find(type)))
}

/**
 * Finds what is needed to attach, before any of it runs.
 * @throws CniError naming the network
 */
export async function findAllPlugins(runner: PluginRunner, planned: readonly Attachment[]): Promise<void> {
  const find = (attachment: Attachment) =>
    findPlugins(runner, [attachment.list]).catch(error => {
      throw named(attachment, error)
    })
  await Promise.all(planned.map(find))
}

/**
 * Attaches what is planned, the default network first, the others side by side.
 * @param first result that the default network's chain continues
 * @throws the first failure; by then all that may have been done is undone, or stays in the record to be undone later
 */
export async function attachAll(bench: Workbench, planned: readonly Attachment[], first?: JsonObject): Promise<void> {
  const primaries = planned.filter(({ isPrimary }) => isPrimary)
  const others = planned.filter(({ isPrimary }) => !isPrimary)
  try {
    for (const attachment of primaries) await attachOne(bench, attachment, first)
    await forEachBounded(others, bench.width, attachment => attachOne(bench, attachment))
  } catch (error) {
    await undo(bench, planned)
    throw error
  }
}

/**
 * Detaches side by side, begun in reverse: the default network last. All are tried whatever fails.
 * @returns the failures
 */
export async function detachAll(bench: Workbench, attachments: readonly Attachment[]): Promise<readonly unknown[]> {
  const failures: unknown[] = []
  const detach = (attachment: Attachment) =>
    detachOne(bench, attachment).catch(error => {
      bench.log.error(`DEL of ${titleOf(attachment)} failed: ${String(error.message)}`, factsOf(attachment, error))
      failures.push(error)
    })
  const isFirst = ({ isPrimary }: Attachment) => Number(isPrimary)
  // Interfaces do not depend on each other, and most of a DEL is waiting for the kernel.
  const backwards = attachments.toReversed().sort((one, other) => isFirst(one) - isFirst(other))
  await forEachBounded(backwards, bench.width, detach)
  return failures
}

/** Where an attachment is, in the words of the protocol. */
export function placeOf(attachment: Attachment, containerId: string, netns: string): AttachTo {
  const { ifname, args, capabilityArgs } = attachment
  return { containerId, netns, ifname, args, capabilityArgs }
}

async function attachOne(bench: Workbench, attachment: Attachment, first?: JsonObject): Promise<void> {
  const { runner, writer, log } = bench
  const { containerId, netns } = writer.record
  const started = performance.now()
  if (writer.current(attachment.ifname)?.status !== 'adding')
    await writer.change(attachment.ifname, { status: 'adding' })
  const result = await addChain(runner, attachment.list, placeOf(attachment, containerId, netns), first).catch(
    error => {
      const { code, message } = toCniError(error)
      writer.note(attachment.ifname, { refusal: { code, message, timeMs: Date.now() } })
      throw named(attachment, error)
    },
  )
  // Until this is on disk its DEL only lacks the result, which it must be able to do without.
  writer.note(attachment.ifname, { status: 'added', result })
  log.info(`added ${titleOf(attachment)}`, { ...factsOf(attachment), ms: Math.round(performance.now() - started) })
}

async function detachOne(bench: Workbench, attachment: Attachment): Promise<void> {
  const { runner, writer, log } = bench
  const { containerId, netns } = writer.record
  // One that is gone, or is none, is told of as none.
  const place = placeOf(attachment, containerId, isNetns(netns) ? netns : '')
  await delChain(runner, attachment.list, place, attachment.result).catch(error => {
    if (!neverBegan(attachment, toCniError(error))) throw named(attachment, error)
    log.error(`${titleOf(attachment)} is let go: ADD and DEL refuse it in the same words`, factsOf(attachment, error))
  })
  // If this is lost, in a power cut or on a full disk, DEL is called once more; that does no harm.
  await writer.change(attachment.ifname, { status: 'deleted' }, false).catch(error => {
    log.error(`that ${titleOf(attachment)} is deleted cannot be noted: ${toCniError(error).message}`)
  })
  log.info(`deleted ${titleOf(attachment)}`, factsOf(attachment))
}

async function undo(bench: Workbench, planned: readonly Attachment[]): Promise<void> {
  const current = planned.map(({ ifname }) => bench.writer.current(ifname)).filter(entry => entry !== undefined)
  await detachAll(bench, current.filter(mayHaveRun))
}

/** What refuses for a moment (an address server that is down) gets so long to come back before it is let go. */
const LET_GO_MS = 60_000

/**
 * Whether a plugin refuses an attachment as such: it never had a result, and a minute later DEL still gives the answer
 * that ADD gave. There is nothing to undo then, and a pod must not be kept from ending by it for ever. Nothing is read
 * out of the words: two answers are compared whole, and any difference keeps the attachment.
 */
function neverBegan({ status, refusal }: Attachment, { code, message }: CniError): boolean {
  const isOld = refusal !== undefined && Date.now() - refusal.timeMs >= LET_GO_MS
  return isOld && status === 'adding' && refusal.code === code && refusal.message === message
}

/** A failure with the network it is about, for the pod's event; code and message stay the plugin's own. */
function named(attachment: Attachment, error: unknown): CniError {
  const { code, message, details } = toCniError(error)
  const where = `${titleOf(attachment)}, interface ${attachment.ifname}`
  return new CniError(code, message, { details: details === undefined ? where : `${details}; ${where}`, cause: error })
}

/** Whether any plugin may have worked for it that has not been undone. */
export function mayHaveRun(attachment: Attachment): boolean {
  return attachment.status === 'adding' || attachment.status === 'added'
}

function factsOf(attachment: Attachment, error?: unknown) {
  const code = error instanceof CniError ? error.code : undefined
  return { network: attachment.network ?? attachment.list.name, interface: attachment.ifname, code }
}
