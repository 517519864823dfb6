import type { Attachment, ContainerRecord } from '../networks/record.ts'
import type { NetworkRequest } from '../networks/request.ts'
import { CniCode, CniError, throwTogether, toCniError } from '../spec/errors.ts'
import { detachAll, mayHaveRun } from './attach.ts'
import { type Call, lockedAnyway, workOn } from './call.ts'
import { readDelegates } from './config.ts'
import { planContainer, titleOf } from './plan.ts'
import { networkOf } from './pod-args.ts'
import { unwritten } from './record-writer.ts'
import { attachmentOf, endingWith, recordWithout } from './scope.ts'

/**
 * Detaches a container from all its networks, or a running one from one of them. It needs nothing but the record:
 * no API, no agent, not even the network namespace.
 * @throws CniError with all that failed, after all was tried; what is left stays in the record for the next DEL
 */
export async function del(call: Call): Promise<undefined> {
  const network = networkOf(call.request.args)
  await lockedAnyway(call, () => (network === undefined ? delContainer(call) : delNetwork(call, network)))
}

async function delContainer(call: Call): Promise<void> {
  const { conf, request, store } = call
  const record = await store.read(request.containerId).catch(error => {
    call.log.error(toCniError(error).message)
    return undefined
  })
  if (record === undefined) await sweep(call)
  const ending = record === undefined ? [] : endingWith(record, { conf: conf.name, ifname: request.ifname })
  const failures = record === undefined ? [] : await detach(call, record, ending)
  // Attached before we were here, or by an ADD whose record is lost.
  const isUnknown = !ending.some(({ isPrimary }) => isPrimary)
  const others = isUnknown ? await delConfigured(call) : []
  throwTogether([...failures, ...others])
}

/** An ADD that was killed in the midst of its first write leaves no record, but what it wrote. */
async function sweep({ store, request, log }: Call): Promise<void> {
  await store.remove(request.containerId).catch(error => log.error(toCniError(error).message))
}

async function delNetwork(call: Call, network: NetworkRequest): Promise<void> {
  const { request, store } = call
  const record = await store.read(request.containerId)
  const scope = { conf: call.conf.name, ifname: request.ifname }
  const found = record === undefined ? undefined : attachmentOf(record, scope, network)
  if (record === undefined || found === undefined) return
  if (found.isPrimary) {
    throw new CniError(CniCode.InvalidNetworkConfig, `${titleOf(found)} is the default network of this container`)
  }
  const { begun, record: marked } = await markBegun(call, record, found)
  throwTogether(await detach(call, marked, [begun]))
}

/** The pod lives on, and if we are killed, whoever asks for that network next must not take it for attached. */
async function markBegun({ store, log }: Call, record: ContainerRecord, found: Attachment) {
  if (!mayHaveRun(found)) return { begun: found, record }
  const begun: Attachment = { ...found, status: 'adding' }
  const attachments = record.attachments.map(entry => (entry === found ? begun : entry))
  const marked = { ...record, attachments }
  await store.write(marked, false).catch(error => log.error(toCniError(error).message))
  return { begun, record: marked }
}

/** Detaches some attachments of a record and brings it up to date. */
export async function detach(
  call: Call,
  record: ContainerRecord,
  ending: readonly Attachment[],
): Promise<readonly unknown[]> {
  const bench = workOn(call, { ...record, netns: call.request.netns })
  const failures = await detachAll(bench, ending.filter(mayHaveRun))
  const { writer } = bench
  const isDone = failures.length === 0
  const rest = isDone ? recordWithout(writer.record, ending) : writer.record
  const isLeft = rest.attachments.some(mayHaveRun)
  // What is detached is detached, whether that can be written down or not.
  await (isLeft ? writer.replace({ ...rest, netns: record.netns }) : writer.remove()).catch(error => {
    call.log.error(toCniError(error).message)
  })
  return failures
}

/** DEL of the default networks, as for a container that has only these. */
async function delConfigured(call: Call): Promise<readonly unknown[]> {
  const { conf, request } = call
  const planned = planContainer({ conf, request, present: [] }, readDelegates(conf), [])
  const record = { containerId: request.containerId, netns: request.netns, pod: undefined, attachments: planned }
  return detachAll({ ...workOn(call, record), writer: unwritten(record) }, planned)
}
