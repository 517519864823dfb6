import { forEachBounded } from '../host/bounded.ts'
import { errorCode, messageOf } from '../host/system-error.ts'
import { PodBudget } from '../networks/bounds.ts'
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
import { isSamePod } from '../networks/same-pod.ts'
import { selectNetworks, unreadAnnotations, withWishes } from '../networks/selection.ts'
import { CniCode, CniError } from '../spec/errors.ts'
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
  const isKnown = known !== undefined && isSamePod(known.pod, pod.uid)
  const { annotations } = isKnown ? known.pod : await readPod(sources, pod)
  const unread = unreadAnnotations(annotations, rules.multusReader)
  if (unread !== undefined) rules.log[unread.isLost ? 'error' : 'info'](unread.message)
  const requests = selectNetworks(annotations, rules.multusReader)
  return resolveAll(requests, new NetworkLookup(sources, isKnown ? known.networks : [], pod, rules))
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
  if (known === undefined || !isSamePod(known.pod, pod.uid)) {
    // Without the agent, who knows the pod, a network is attached as the seed does.
    rules.log.info(`the agent does not know the pod: network ${name} is attached by its name and address alone`)
    return resolve(request, new NetworkLookup(sources, [], pod, rules))
  }
  const wished = withWishes(request, known.pod.annotations, rules.multusReader)
  return resolve(wished, new NetworkLookup(sources, known.networks, pod, rules))
}

/** How many objects are on their way at once: each may be as large as the API lets it be. */
const WIDTH = 4
/** A configuration, written down twice more in an annotation of kubectl's with all its quotes escaped. */
const MAX_NETWORK_OBJECT_BYTES = 512 * 1024
/** More than etcd takes. */
const MAX_POD_OBJECT_BYTES = 4 * 1024 * 1024

async function resolveAll(
  requests: readonly NetworkRequest[],
  lookup: NetworkLookup,
): Promise<readonly ResolvedNetwork[]> {
  // All of them before any request: a name that may not be used is not even looked at.
  for (const request of requests) refuseForeign(request, lookup.pod.namespace, lookup.rules.shared)
  const found: ResolvedNetwork[] = []
  await forEachBounded([...requests.entries()], WIDTH, async ([at, request]) => {
    found[at] = await resolve(request, lookup)
  })
  return found
}

async function resolve(request: NetworkRequest, lookup: NetworkLookup): Promise<ResolvedNetwork> {
  refuseForeign(request, lookup.pod.namespace, lookup.rules.shared)
  const object = await lookup.objectOf(request)
  lookup.budget.spend(object.size)
  return { request, object }
}

/** What one pod's networks are looked up on. */
class NetworkLookup {
  readonly pod: PodRef
  readonly rules: NetworkRules
  readonly budget = new PodBudget()
  readonly #sources: LookupSources
  readonly #known: readonly FoundNetwork[]
  /** A pod may ask for one network many times. */
  readonly #objects = new Map<string, Promise<NetworkObject>>()

  constructor(sources: LookupSources, known: readonly FoundNetwork[], pod: PodRef, rules: NetworkRules) {
    this.#sources = sources
    this.#known = known
    this.pod = pod
    this.rules = rules
  }

  objectOf(request: NetworkRequest): Promise<NetworkObject> {
    const key = `${request.kind} ${request.namespace ?? ''}/${request.name}`
    const object = this.#objects.get(key) ?? this.#find(request)
    this.#objects.set(key, object)
    return object
  }

  async #find(request: NetworkRequest): Promise<NetworkObject> {
    const namespaces = namespacesOf(request, this.pod.namespace)
    // Only the one that is meant is read: another of that name may be junk of somebody else's.
    const isIn = (namespace: string) => (entry: FoundNetwork) =>
      entry.kind === request.kind && isAbout(entry.object, namespace, request.name)
    const known = namespaces.map(namespace => this.#known.find(isIn(namespace))).find(entry => entry !== undefined)
    const object = known && networkFrom(request.kind, known.object)
    const found = object ?? (await this.#read(request, namespaces))
    refusePlugins(found, this.rules.plugins)
    return found
  }

  async #read({ kind, name }: NetworkRequest, namespaces: readonly string[]): Promise<NetworkObject> {
    const reader = await this.#sources.api()
    for (const namespace of namespaces) {
      const object = await readNetwork(reader, kind, namespace, name)
      if (object !== undefined) return object
    }
    const places = namespaces.join(' or ')
    throw new CniError(KactusCode.NetworkNotFound, `there is no ${kind} ${name} in namespace ${places}`)
  }
}

async function readNetwork(reader: KubeReader, kind: NetworkKind, namespace: string, name: string) {
  const { group, plural } = NETWORK_PATHS[kind]
  const path = `/apis/${group}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`
  const value = await reading(`${kind} ${namespace}/${name}`, () => reader.get(path, MAX_NETWORK_OBJECT_BYTES))
  if (value === undefined) return undefined
  const object = networkFrom(kind, value)
  return object.namespace === namespace && object.name === name ? object : undefined
}

function isAbout(object: Json, namespace: string, name: string): boolean {
  const metadata = isJsonObject(object) ? field(object, 'metadata') : undefined
  if (metadata === undefined || !isJsonObject(metadata)) return false
  return field(metadata, 'namespace') === namespace && field(metadata, 'name') === name
}

async function readPod(sources: LookupSources, pod: PodRef): Promise<PodFacts> {
  const reader = await sources.api()
  const path = `/api/v1/namespaces/${encodeURIComponent(pod.namespace)}/pods/${encodeURIComponent(pod.name)}`
  const title = `pod ${pod.namespace}/${pod.name}`
  const value = await reading(title, () => reader.get(path, MAX_POD_OBJECT_BYTES))
  if (value === undefined) throw new CniError(KactusCode.PodNotFound, `there is no ${title}`)
  const facts = podFactsFrom(isJsonObject(value) ? field(value, 'metadata') : undefined)
  if (facts === undefined) throw new CniError(KactusCode.LookupImpossible, `the API's answer for ${title} is no pod`)
  if (!isSamePod(facts, pod.uid)) {
    const details = `the runtime has ${pod.uid}, the API ${facts.uid}`
    throw new CniError(KactusCode.OtherPod, `${title} is another pod of that name by now`, { details })
  }
  return facts
}

async function reading<T>(title: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof CniError) throw error
    if (errorCode(error) === 'TooLarge') {
      throw new CniError(CniCode.InvalidNetworkConfig, `${title} is too large an object`, { cause: error })
    }
    const message = messageOf(error)
    throw new CniError(KactusCode.LookupImpossible, message, { cause: error })
  }
}
