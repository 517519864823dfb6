import type { PodFacts } from '../../cni/networks/lookup-protocol.ts'
import { NETWORK_PATHS } from '../../cni/networks/network-object.ts'
import type { NetworkKind } from '../../cni/networks/request.ts'
import type { JsonObject } from '../../cni/spec/json.ts'
import type { KubeApi } from '../kube/api.ts'
import type { KubeStreams } from '../kube/client.ts'
import { type Change, type Informer, type InformerOptions, startInformer } from '../kube/informer.ts'
import { type NodePod, nodePodFrom } from '../kube/pod.ts'
import { objectKey } from '../kube/watch-events.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import { Allowance, type Kept, type Limits, type Sight, sightOf } from './allowance.ts'
import { networkFrom, podFrom } from './objects.ts'
import { moveWorker, noWorkers, type PodPhase, type WorkerCounts, workerPhase } from './workers.ts'

/** Pods of this node and networks of all namespaces, as watches tell of them. */
export interface ObjectCache {
  pod(namespace: string, name: string): PodFacts | undefined
  network(kind: NetworkKind, namespace: string, name: string): Sight<JsonObject>
  /** Calls `run` after each change among the pods, until the returned function is called. */
  onPods(run: () => void): () => void
  stop(): Promise<unknown>
}

/** The same, and what else this node's agent wants to know of them. */
export interface NodeObjects extends ObjectCache {
  nodePod(key: string): NodePod | undefined
  nodePods(): Iterable<NodePod>
  /** Whether all pods that are there have been told. */
  podsKnown(): boolean
  /** Calls `run` with the pods that came, changed or went; at first with all that are there. */
  onPodChanges(run: (changes: readonly Change<NodePod>[]) => void): void
  /** Calls `run` after each change among the networks. */
  onNetworks(run: () => void): void
}

export interface ObjectCacheOptions {
  readonly api: KubeApi & KubeStreams
  readonly nodeName: string
  readonly log: Logger
  readonly clock: Clock
  readonly random: () => number
  /** Told after each change among the pods how many of them verify a node. */
  readonly onWorkers?: (counts: WorkerCounts) => void
}

/** What is kept of a pod. */
interface KnownPod {
  readonly facts: PodFacts
  readonly worker: PodPhase | undefined
  readonly node: NodePod | undefined
}

/** A full node has some hundred pods; a cluster that knows thousands of networks still fits. */
const podLimits: Limits = { mostEach: 16 * 1024, mostInAll: 2 * 2 ** 20 }
const networkLimits: Limits = { mostEach: 64 * 1024, mostInAll: 4 * 2 ** 20 }

export function startObjectCache(options: ObjectCacheOptions): NodeObjects {
  const fieldSelector = `spec.nodeName=${options.nodeName}`
  const pods = follow(options, { path: '/api/v1/pods', query: { fieldSelector } }, new Allowance(knownPod, podLimits))
  countWorkers(pods, options.onWorkers)
  const networks = {
    Network: followNetworks(options, 'Network'),
    NetworkAttachmentDefinition: followNetworks(options, 'NetworkAttachmentDefinition'),
  }
  return {
    pod: (namespace, name) => pods.get(objectKey(name, namespace))?.value?.facts,
    network(kind, namespace, name) {
      const known = networks[kind]
      return sightOf(known.get(objectKey(name, namespace)), known.current())
    },
    onPods: run => pods.subscribe(run),
    nodePod: key => pods.get(key)?.value?.node,
    nodePods: () => [...pods.values()].flatMap(({ value }) => value?.node ?? []),
    podsKnown: () => pods.synced(),
    onPodChanges(run) {
      pods.subscribe(changes => run(changes.map(nodePodChange)))
    },
    onNetworks(run) {
      for (const each of Object.values(networks)) each.subscribe(run)
    },
    stop: () => Promise.all([pods, ...Object.values(networks)].map(each => each.stop())),
  }
}

function knownPod(body: unknown): KnownPod | undefined {
  const facts = podFrom(body)
  return facts && { facts, worker: workerPhase(body), node: nodePodFrom(body, facts) }
}

function nodePodChange({ key, before, after }: Change<Kept<KnownPod>>): Change<NodePod> {
  return { key, before: before?.value?.node, after: after?.value?.node }
}

function countWorkers(pods: Informer<Kept<KnownPod>>, onWorkers: (counts: WorkerCounts) => void = () => undefined) {
  let counts = noWorkers
  pods.subscribe(changes => {
    for (const { before, after } of changes) counts = moveWorker(counts, before?.value?.worker, after?.value?.worker)
    onWorkers(counts)
  })
}

function followNetworks(options: ObjectCacheOptions, kind: NetworkKind): Informer<Kept<JsonObject>> {
  const { group, plural } = NETWORK_PATHS[kind]
  // Neither definition must be there: a cluster may use one of the two, and begins with none.
  const collection = { path: `/apis/${group}/${plural}`, query: {}, optional: true }
  return follow(options, collection, new Allowance(networkFrom, networkLimits))
}

/** Follows as much of a collection as is allowed. */
function follow<T>(
  { api, log, clock, random }: ObjectCacheOptions,
  collection: Pick<InformerOptions<T>, 'path' | 'query' | 'optional'>,
  allowance: Allowance<T>,
): Informer<Kept<T>> {
  const { path } = collection
  const { admit: parse, begin: onBegin } = allowance
  const informer = startInformer({ api, log, clock, random, ...collection, begins: 'stream', parse, onBegin })
  let left = 0
  informer.subscribe(changes => {
    allowance.take(changes)
    if (allowance.left > left)
      log.warn({ path, left: allowance.left }, 'too large to be kept or not to be understood: kactus asks the API')
    left = allowance.left
  })
  return informer
}
