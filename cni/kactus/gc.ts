import type { ContainerRecord } from '../networks/record.ts'
import { gcChain, type ValidAttachment } from '../spec/chain.ts'
import { throwTogether } from '../spec/errors.ts'
import { field } from '../spec/json.ts'
import type { Call } from './call.ts'
import { readDelegates } from './config.ts'
import { detach } from './del.ts'
import { planForward, staleOf } from './gc-plan.ts'
import { validAttachments } from './valid-attachments.ts'

/**
 * Takes away what containers have left that the runtime no longer knows, and lets the delegates do the same.
 * @throws CniError with all that failed, after all was tried
 */
export async function gc(call: Call): Promise<undefined> {
  const valid = validAttachments(call.conf.document)
  if (valid === undefined) return
  // The agent has judged the records itself, and knows of none that came since: what is on record is in use.
  const failures = field(call.conf.document, 'keepRecords') === true ? [] : await removeStale(call, valid)
  const others = await forward(call, valid).catch(error => [error])
  throwTogether([...failures, ...others])
}

/** Container by container, so that a plugin that takes its time keeps no other container waiting. */
async function removeStale(call: Call, valid: readonly ValidAttachment[]): Promise<readonly unknown[]> {
  const failures: unknown[] = []
  for (const containerId of await call.store.list()) {
    try {
      failures.push(...(await removeStaleOf(call, containerId, valid)))
    } catch (error) {
      failures.push(error)
    }
  }
  return failures
}

async function removeStaleOf(
  call: Call,
  containerId: string,
  valid: readonly ValidAttachment[],
): Promise<readonly unknown[]> {
  const { store, conf, log } = call
  const seen = await store.read(containerId)
  if (seen !== undefined && staleOf(seen, conf.name, valid).length === 0) return []
  // What somebody works on at this moment is not left over.
  const lock = await store.locks.lockAtOnce(containerId)
  if (lock === undefined) return []
  try {
    await lock.begin()
    const record = await store.read(containerId)
    if (record === undefined) await store.remove(containerId)
    // Of what was attached since, the runtime could not tell us.
    const isNews = (store.writtenMs(containerId) ?? 0) > call.startedMs
    const stale = record === undefined || isNews ? [] : staleOf(record, conf.name, valid)
    if (record === undefined || stale.length === 0) return []
    log.info(`container ${containerId} is gone: removing what it left`, { count: stale.length })
    return await detach(
      { ...call, request: { ...call.request, containerId, netns: staleNetns(record) } },
      record,
      stale,
    )
  } finally {
    lock.release()
  }
}

/** The number in a path below /proc may be another process's by now; a named one is not given twice. */
function staleNetns({ netns }: ContainerRecord): string {
  return netns.startsWith('/proc/') ? '' : netns
}

/** No ADD beside it: what that attached meanwhile would be none of what the delegates are told is in use. */
async function forward(call: Call, valid: readonly ValidAttachment[]): Promise<readonly unknown[]> {
  const { store, runner, conf } = call
  const lock = await store.locks.lockAll()
  try {
    const failures: unknown[] = []
    const ids = await store.list()
    const records = (await Promise.all(ids.map(id => store.read(id)))).filter(record => record !== undefined)
    for (const { list, valid: left } of planForward(readDelegates(conf), records, valid)) {
      await gcChain(runner, list, left).catch(error => failures.push(error))
    }
    return failures
  } finally {
    lock.release()
  }
}
