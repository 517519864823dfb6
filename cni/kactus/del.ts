import type { Attachment, ContainerRecord } from '../networks/record.ts'
import type { NetworkRequest } from '../networks/request.ts'
import { CniCode, CniError } from '../spec/errors.ts'
import { detachAll, mayHaveRun } from './attach.ts'
import { type Call, locked, workOn } from './call.ts'
import { readDelegates } from './config.ts'
import { planContainer, titleOf } from './plan.ts'
import { networkOf } from './pod-args.ts'
import { unwritten } from './record-writer.ts'
import { endingWith, recordWithout } from './scope.ts'

/**
 * Detaches a container from all its networks, or a running one from one of them. It needs nothing but the record:
 * no API, no agent, not even the network namespace.
 * @throws the first failure, after all was tried; what is left stays in the record for the next DEL
 */
export async function del(call: Call): Promise<undefined> {
  const network = networkOf(call.request.args)
  await locked(call, () => (network === undefined ? delContainer(call) : delNetwork(call, network)))
}

async function delContainer(call: Call): Promise<void> {
  const { conf, request, store } = call
  const record = await store.read(request.containerId)
  const ending = record === undefined ? [] : endingWith(record, { conf: conf.name, ifname: request.ifname })
  const failures = record === undefined ? [] : await detach(call, record, ending)
  // Attached before we were here, or by an ADD whose record is lost.
  const isUnknown = !ending.some(({ isPrimary }) => isPrimary)
  const others = isUnknown ? await delConfigured(call) : []
  const [first] = [...failures, ...others]
  if (first !== undefined) throw first
}

async function delNetwork(call: Call, network: NetworkRequest): Promise<void> {
  const { request, store } = call
  const record = await store.read(request.containerId)
  const found = record?.attachments.find(entry => entry.conf === call.conf.name && isMeant(entry, network))
  if (record === undefined || found === undefined) return
  if (found.isPrimary) {
    throw new CniError(CniCode.InvalidNetworkConfig, `${titleOf(found)} is the default network of this container`)
  }
  const [failure] = await detach(call, record, [found])
  if (failure !== undefined) throw failure
}

function isMeant(entry: Attachment, { name, namespace }: NetworkRequest): boolean {
  if (namespace !== undefined) return entry.network === `${namespace}/${name}`
  return entry.network?.endsWith(`/${name}`) === true
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
  if (rest.attachments.some(mayHaveRun)) await writer.replace({ ...rest, netns: record.netns })
  else await writer.remove()
  return failures
}

/** DEL of the default networks, as for a container that has only these. */
async function delConfigured(call: Call): Promise<readonly unknown[]> {
  const { conf, request } = call
  const planned = planContainer({ conf, request, present: [] }, readDelegates(conf), [])
  const record = { containerId: request.containerId, netns: request.netns, pod: undefined, attachments: planned }
  return detachAll({ ...workOn(call, record), writer: unwritten(record) }, planned)
}
