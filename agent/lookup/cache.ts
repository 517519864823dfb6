import type { PodFacts } from '../../cni/networks/lookup-protocol.ts'
import { NETWORK_PATHS } from '../../cni/networks/network-object.ts'
import type { NetworkKind } from '../../cni/networks/request.ts'
import type { JsonObject } from '../../cni/spec/json.ts'
import type { KubeApi } from '../kube/api.ts'
import type { KubeStreams } from '../kube/client.ts'
import { startWatch, type Watch } from '../kube/watch.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import { networkFrom, podFrom } from './objects.ts'
import { BoundedStore, type Kept, type Sight, type StoreLimits } from './store.ts'
import { countWorkers, type PodPhase, type WorkerCounts, workerPhase } from './workers.ts'

/** Pods of this node and networks of all namespaces, as watches tell of them. */
export interface ObjectCache {
  pod(namespace: string, name: string): PodFacts | undefined
  network(kind: NetworkKind, namespace: string, name: string): Sight<JsonObject>
  /** Calls `run` after each change among the pods, until the returned function is called. */
  onPods(run: () => void): () => void
  stop(): Promise<unknown>
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
}

/** A full node has some hundred pods; a cluster that knows thousands of networks still fits. */
const podLimits: StoreLimits = { mostEach: 16 * 1024, mostInAll: 2 * 2 ** 20 }
const networkLimits: StoreLimits = { mostEach: 64 * 1024, mostInAll: 4 * 2 ** 20 }

export function startObjectCache(options: ObjectCacheOptions): ObjectCache {
  const listeners = new Set<() => void>()
  const pods = follow(options, {
    path: '/api/v1/pods',
    query: { fieldSelector: `spec.nodeName=${options.nodeName}` },
    translate: knownPod,
    limits: podLimits,
    onChange: all => {
      options.onWorkers?.(countWorkers(all.map(({ worker }) => worker)))
      for (const run of listeners) run()
    },
  })
  const networks = {
    Network: followNetworks(options, 'Network'),
    NetworkAttachmentDefinition: followNetworks(options, 'NetworkAttachmentDefinition'),
  }
  return {
    pod(namespace, name) {
      const sight = pods.find(namespace, name)
      return sight.known === 'object' ? sight.value.facts : undefined
    },
    network: (kind, namespace, name) => networks[kind].find(namespace, name),
    onPods(run) {
      listeners.add(run)
      return () => listeners.delete(run)
    },
    stop: () => Promise.all([pods, ...Object.values(networks)].map(each => each.stop())),
  }
}

function knownPod(body: unknown): KnownPod | undefined {
  const facts = podFrom(body)
  return facts && { facts, worker: workerPhase(body) }
}

function followNetworks(options: ObjectCacheOptions, kind: NetworkKind): Followed<JsonObject> {
  const { group, plural } = NETWORK_PATHS[kind]
  // Neither definition must be there: a cluster may use one of the two, and begins with none.
  const path = `/apis/${group}/${plural}`
  return follow(options, { path, query: {}, translate: networkFrom, limits: networkLimits, optional: true })
}

interface Collection<T> {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly translate: (body: unknown) => T | undefined
  readonly limits: StoreLimits
  readonly optional?: boolean
  readonly onChange?: (all: readonly T[]) => void
}

interface Followed<T> {
  find(namespace: string, name: string): Sight<T>
  stop(): Promise<void>
}

function follow<T>(options: ObjectCacheOptions, collection: Collection<T>): Followed<T> {
  const { api, log, clock, random } = options
  const { path, query, translate, limits, optional = false, onChange } = collection
  const store = new BoundedStore(translate, limits)
  let left = 0
  const watch: Watch<Kept<T>> = startWatch({
    ...{ api, path, query, log, clock, random, optional },
    begins: 'stream',
    parse: store.admit,
    onChange(objects) {
      store.show(objects)
      if (store.left > left)
        log.warn({ path, left: store.left }, 'too large to be kept or not to be understood: kactus asks the API')
      left = store.left
      onChange?.(store.values())
    },
  })
  return {
    find: (namespace, name) => store.find(`${namespace}/${name}`, watch.current()),
    stop: () => watch.stop(),
  }
}
