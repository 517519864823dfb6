import { KactusCode } from '../networks/codes.ts'
import {
  type FoundNetwork,
  type LookupAnswer,
  type LookupQuestion,
  type PodFacts,
  podFactsFrom,
} from '../networks/lookup-protocol.ts'
import { namespacesOf, refuseForeign } from '../networks/namespaces.ts'
import { NETWORK_PATHS, type NetworkObject, networkFrom } from '../networks/network-object.ts'
import { refusePlugins } from '../networks/plugin-rules.ts'
import type { PodRef } from '../networks/record.ts'
import type { NetworkKind, NetworkRequest } from '../networks/request.ts'
import { selectNetworks, withWishes } from '../networks/selection.ts'
import { CniError } from '../spec/errors.ts'
import { field, isJsonObject, type Json } from '../spec/json.ts'
import type { KubeReader } from './kube.ts'
import type { NetworkRules } from './rules.ts'

/** Where facts about pods and networks come from. */
export interface LookupSources {
  /** undefined = the agent does not know. */
  agent(question: LookupQuestion): Promise<LookupAnswer | undefined>
  /** @throws CniError where there is no way to the API */
  api(): Promise<KubeReader>
}

/** A network that was asked for, and its object. */
export interface ResolvedNetwork {
  readonly request: NetworkRequest
  readonly object: NetworkObject
}

/**
 * Finds the networks that a pod's annotations ask for.
 * @throws CniError
 */
export async function lookUpPod(
  sources: LookupSources,
  pod: PodRef,
  rules: NetworkRules,
): Promise<readonly ResolvedNetwork[]> {
  const known = await sources.agent({ namespace: pod.namespace, pod: pod.name, network: undefined })
  // The agent's view may be of a pod of that name that is gone: the API has the last word.
  const isKnown = known !== undefined && isSamePod(known.pod, pod)
  const facts = isKnown ? known.pod : await readPod(sources, pod)
  const requests = selectNetworks(facts.annotations)
  return resolveAll(requests, { sources, known: isKnown ? known.networks : [], pod, rules })
}

/**
 * Finds one network for a running pod.
 * @throws CniError
 */
export async function lookUpNetwork(
  sources: LookupSources,
  request: NetworkRequest,
  pod: PodRef,
  rules: NetworkRules,
): Promise<ResolvedNetwork> {
  const { kind, name, namespace } = request
  const known = await sources.agent({ namespace: pod.namespace, pod: pod.name, network: { kind, name, namespace } })
  // Without the agent, who knows the pod, a network is attached as the seed does: by its name and address alone.
  if (known === undefined || !isSamePod(known.pod, pod)) return resolve(request, { sources, known: [], pod, rules })
  return resolve(withWishes(request, known.pod.annotations), { sources, known: known.networks, pod, rules })
}

interface Ground {
  readonly sources: LookupSources
  readonly known: readonly FoundNetwork[]
  readonly pod: PodRef
  readonly rules: NetworkRules
}

function resolveAll(requests: readonly NetworkRequest[], ground: Ground): Promise<readonly ResolvedNetwork[]> {
  // All of them before any request: a name that may not be used is not even looked at.
  for (const request of requests) refuseForeign(request, ground.pod.namespace, ground.rules.shared)
  return Promise.all(requests.map(request => resolve(request, ground)))
}

async function resolve(request: NetworkRequest, ground: Ground): Promise<ResolvedNetwork> {
  const { known, pod, rules } = ground
  refuseForeign(request, pod.namespace, rules.shared)
  const namespaces = namespacesOf(request, pod.namespace)
  // Only the one that is meant is read: another of that name may be junk of somebody else's.
  const isIn = (namespace: string) => (entry: FoundNetwork) =>
    entry.kind === request.kind && isAbout(entry.object, namespace, request.name)
  const inMemory = namespaces.map(namespace => known.find(isIn(namespace))).find(entry => entry !== undefined)
  const object =
    inMemory === undefined ? await readFirst(ground, request, namespaces) : networkFrom(request.kind, inMemory.object)
  refusePlugins(object, rules.plugins)
  return { request, object }
}

async function readFirst(
  { sources }: Ground,
  request: NetworkRequest,
  namespaces: readonly string[],
): Promise<NetworkObject> {
  const reader = await sources.api()
  for (const namespace of namespaces) {
    const object = await readNetwork(reader, request.kind, namespace, request.name)
    if (object !== undefined) return object
  }
  const places = namespaces.join(' or ')
  throw new CniError(KactusCode.NetworkNotFound, `there is no ${request.kind} ${request.name} in namespace ${places}`)
}

async function readNetwork(reader: KubeReader, kind: NetworkKind, namespace: string, name: string) {
  const { group, plural } = NETWORK_PATHS[kind]
  const path = `/apis/${group}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`
  const value = await reading(() => reader.get(path))
  if (value === undefined) return undefined
  const object = networkFrom(kind, value)
  return isNamed(object, namespace, name) ? object : undefined
}

function isAbout(object: Json, namespace: string, name: string): boolean {
  const metadata = isJsonObject(object) ? field(object, 'metadata') : undefined
  if (metadata === undefined || !isJsonObject(metadata)) return false
  return field(metadata, 'namespace') === namespace && field(metadata, 'name') === name
}

function isNamed(object: NetworkObject, namespace: string, name: string): boolean {
  return object.namespace === namespace && object.name === name
}

async function readPod(sources: LookupSources, pod: PodRef): Promise<PodFacts> {
  const reader = await sources.api()
  const path = `/api/v1/namespaces/${encodeURIComponent(pod.namespace)}/pods/${encodeURIComponent(pod.name)}`
  const value = await reading(() => reader.get(path))
  const title = `pod ${pod.namespace}/${pod.name}`
  if (value === undefined) throw new CniError(KactusCode.PodNotFound, `there is no ${title}`)
  const facts = podFactsFrom(isJsonObject(value) ? field(value, 'metadata') : undefined)
  if (facts === undefined) throw new CniError(KactusCode.LookupImpossible, `the API's answer for ${title} is no pod`)
  if (!isSamePod(facts, pod)) {
    const details = `the runtime has ${pod.uid}, the API ${facts.uid}`
    throw new CniError(KactusCode.OtherPod, `${title} is another pod of that name by now`, { details })
  }
  return facts
}

/** A static pod has another UID on its node than its mirror in the API, which carries the first as an annotation. */
function isSamePod(facts: PodFacts, pod: PodRef): boolean {
  const { annotations } = facts
  const isMirror = Object.hasOwn(annotations, 'kubernetes.io/config.mirror')
  const onNode = [annotations['kubernetes.io/config.hash'], annotations['kubernetes.io/config.mirror']]
  return pod.uid === undefined || facts.uid === pod.uid || (isMirror && onNode.includes(pod.uid))
}

async function reading<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof CniError) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new CniError(KactusCode.LookupImpossible, message, { cause: error })
  }
}
