import type { ContainerRecord } from '../networks/record.ts'
import { gcChain, type ValidAttachment } from '../spec/chain.ts'
import { CniError, toCniError } from '../spec/errors.ts'
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
  const lock = await call.store.locks.lockAll()
  try {
    const failures = [...(await removeStale(call, valid)), ...(await forward(call, valid))].map(toCniError)
    const [first] = failures
    if (first === undefined) return
    const message = failures.map(failure => failure.message).join('; ')
    throw new CniError(first.code, message, { details: first.details, cause: first })
  } finally {
    lock.release()
  }
}

async function removeStale(call: Call, valid: readonly ValidAttachment[]): Promise<readonly unknown[]> {
  const failures: unknown[] = []
  for (const containerId of await call.store.list()) {
    const record = await call.store.read(containerId)
    const stale = record === undefined ? [] : staleOf(record, call.conf.name, valid)
    if (record === undefined || stale.length === 0) continue
    call.log.info(`container ${containerId} is gone: removing what it left`, { count: stale.length })
    const netns = staleNetns(record)
    failures.push(...(await detach({ ...call, request: { ...call.request, containerId, netns } }, record, stale)))
  }
  return failures
}

/** The number in a path below /proc may be another process's by now; a named one is not given twice. */
function staleNetns({ netns }: ContainerRecord): string {
  return netns.startsWith('/proc/') ? '' : netns
}

async function forward(call: Call, valid: readonly ValidAttachment[]): Promise<readonly unknown[]> {
  const failures: unknown[] = []
  const ids = await call.store.list()
  const records = (await Promise.all(ids.map(id => call.store.read(id)))).filter(record => record !== undefined)
  for (const { list, valid: left } of planForward(readDelegates(call.conf), records, valid)) {
    await gcChain(call.runner, list, left).catch(error => failures.push(error))
  }
  return failures
}
