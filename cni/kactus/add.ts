import { KactusCode } from '../networks/codes.ts'
import type { Attachment, ContainerRecord } from '../networks/record.ts'
import type { NetworkRequest } from '../networks/request.ts'
import { CniCode, CniError } from '../spec/errors.ts'
import type { JsonObject } from '../spec/json.ts'
import { attachAll, detachAll, findAllPlugins, mayHaveRun } from './attach.ts'
import { type Call, preparedThen, type RecordedWork, workOn } from './call.ts'
import { readDelegates } from './config.ts'
import { chosenDevices } from './devices.ts'
import { lookUpNetwork, lookUpPod, type ResolvedNetwork } from './lookup.ts'
import { planContainer, planHotplug, titleOf } from './plan.ts'
import { adopts, networkOf, podOf } from './pod-args.ts'
import { finalResult, firstResult } from './results.ts'
import { rulesOf } from './rules.ts'
import { ownedBy, recordWithout } from './scope.ts'

/** Attaches a container to its default network and to those its pod asks for; or a running one to one more. */
export async function add(call: Call): Promise<JsonObject> {
  const network = networkOf(call.request.args)
  return network === undefined ? addContainer(call) : addNetwork(call, network)
}

function addContainer(call: Call): Promise<JsonObject> {
  const { conf, request } = call
  const delegates = readDelegates(conf)
  const pod = podOf(request.args)
  return preparedThen(call, async begin => {
    const found = pod === undefined ? [] : await lookUpPod(call.lookup, pod, rulesOf(call))
    await begin()
    const present = await clearInterrupted(call)
    const wanted = await chosenDevices(call, pod, found, present)
    const planned = planContainer({ conf, request, present: present?.attachments ?? [] }, delegates, wanted)
    const attachments = [...(present?.attachments ?? []), ...planned]
    const record = { containerId: request.containerId, netns: request.netns, pod, attachments }
    return attach(call, record, planned)
  })
}

function addNetwork(call: Call, network: NetworkRequest): Promise<JsonObject> {
  const { conf, request } = call
  const pod = podOf(request.args)
  if (pod === undefined) throw new CniError(CniCode.InvalidEnvironment, 'CNI_ARGS has K8S_POD_NETWORK but no pod')
  return preparedThen(call, async begin => {
    const record = await runningContainer(call)
    const found = await lookUpNetwork(call.lookup, network, pod, rulesOf(call))
    await begin()
    const known = attachedAlready(record, found)
    if (known?.status === 'added' && known.result !== undefined)
      return finalResult({ ...conf, prevResult: undefined }, known.list, known.result)
    const cleared = await clearNetwork(call, record, known)
    const [wanted] = await chosenDevices(call, pod, [found], cleared)
    if (wanted === undefined) throw new Error('no device chosen for the one network there is')
    const planned = planHotplug({ conf, request, present: cleared.attachments }, wanted)
    return attach(call, { ...cleared, pod: cleared.pod ?? pod, attachments: [...cleared.attachments, planned] }, [
      planned,
    ])
  })
}

/** Writes down what will be done, does it, and answers with the result of the first. */
async function attach(call: Call, record: ContainerRecord, planned: readonly Attachment[]): Promise<JsonObject> {
  const { conf, runner } = call
  await findAllPlugins(runner, planned)
  const bench = workOn(call, record)
  try {
    const [first] = planned
    if (first === undefined) throw new Error('nothing is planned')
    const start = first.isPrimary ? firstResult(conf, first.list) : undefined
    // The first one's mark shares the write that must precede it.
    await bench.writer.change(first.ifname, { status: 'adding' })
    await attachAll(bench, planned, start)
    return await finalOrUndo(call, bench, planned)
  } catch (error) {
    await settle(bench)
    throw error
  }
}

/** What the caller is told, once all is on record; if either cannot be, all is undone. */
async function finalOrUndo(call: Call, bench: RecordedWork, planned: readonly Attachment[]): Promise<JsonObject> {
  const current = () => planned.map(({ ifname }) => bench.writer.current(ifname)).filter(entry => entry !== undefined)
  try {
    await bench.writer.flush()
    const [first] = current()
    if (first?.result === undefined) throw new Error('the first network has no result')
    const conf = first.isPrimary ? call.conf : { ...call.conf, prevResult: undefined }
    return finalResult(conf, first.list, first.result)
  } catch (error) {
    await detachAll(bench, current())
    throw error
  }
}

/** After a failure: keeps what still has to be undone, and forgets the rest. */
async function settle(bench: RecordedWork): Promise<void> {
  const { record } = bench.writer
  const forgotten = record.attachments.filter(
    ({ status, owner }) => status === 'planned' || (status === 'deleted' && owner === undefined),
  )
  const rest = recordWithout(record, forgotten)
  if (rest.attachments.some(mayHaveRun)) await bench.writer.replace(rest)
  else await bench.writer.remove()
}

/**
 * Undoes what an ADD that was killed has left of this interface.
 * @returns what else the container has
 * @throws CniError where the interface is attached and well
 */
async function clearInterrupted(call: Call): Promise<ContainerRecord | undefined> {
  const { store, request, conf } = call
  const record = await store.read(request.containerId)
  if (record === undefined) return undefined
  const owned = ownedBy(record, { conf: conf.name, ifname: request.ifname })
  const live = owned.filter(mayHaveRun)
  if (live.length > 0 && owned.every(({ status }) => status === 'added')) {
    const message = `container ${request.containerId} has ${request.ifname} already`
    throw new CniError(KactusCode.AlreadyAttached, message, { details: 'DEL it first' })
  }
  const failures = await detachAll(workOn(call, record), live)
  if (failures.length > 0) throw failures[0]
  return recordWithout(record, owned)
}

/** The record of a container that runs; one that was never attached, or is gone, must not get another interface. */
async function runningContainer(call: Call): Promise<ContainerRecord> {
  const { store, request } = call
  const record = await store.read(request.containerId)
  if (record?.attachments.some(({ isPrimary, status }) => isPrimary && status === 'added')) {
    return { ...record, netns: request.netns }
  }
  if (!adopts(request.args)) {
    throw new CniError(
      CniCode.UnknownContainer,
      `container ${request.containerId} is not attached to its default network`,
    )
  }
  return record ?? { containerId: request.containerId, netns: request.netns, pod: undefined, attachments: [] }
}

function attachedAlready(record: ContainerRecord, { request, object }: ResolvedNetwork): Attachment | undefined {
  const known = record.attachments.find(entry => entry.network === `${object.namespace}/${object.name}`)
  if (known === undefined || known.status !== 'added') return known
  if (request.mac === undefined || request.mac === known.mac) return known
  const message = `${titleOf(known)} is attached with another hardware address`
  throw new CniError(KactusCode.AlreadyAttached, message, { details: 'DEL it first' })
}

async function clearNetwork(
  call: Call,
  record: ContainerRecord,
  known: Attachment | undefined,
): Promise<ContainerRecord> {
  if (known === undefined) return record
  if (mayHaveRun(known)) {
    const failures = await detachAll(workOn(call, record), [known])
    if (failures.length > 0) throw failures[0]
  }
  return recordWithout(record, [known])
}
