import { isNotFound, KubeError, orAbsent } from '../kube/api.ts'
import { nodeRef } from '../kube/events.ts'
import { createNodeWriter, isStale } from '../kube/node-writer.ts'
import type { Lift, Removal } from './node-plan.ts'
import type { Start } from './plan.ts'
import type { RemedyPorts } from './ports.ts'
import { RecentWrites } from './recent.ts'
import { parseWorker } from './worker.ts'
import { workerPod } from './worker-pod.ts'

/** Carries out what is not a deletion of a node. Nothing is written a second time before the watch could tell of it. */
export class RemedyWrites {
  readonly recent: RecentWrites
  readonly #ports: RemedyPorts

  constructor(ports: RemedyPorts) {
    this.#ports = ports
    this.recent = new RecentWrites(ports.clock)
  }

  /** @throws KubeError, RemedyError */
  async write(action: Start | Lift | Removal, signal: AbortSignal): Promise<void> {
    const what = nameOf(action)
    if (this.recent.has(what)) return
    if (action.kind === 'start') await this.#start(action, signal)
    else if (action.kind === 'lift') await this.#lift(action, signal)
    else await this.#remove(action, signal)
    this.recent.note(what)
  }

  async #start({ sight: { node }, attempt, failures }: Start, signal: AbortSignal): Promise<void> {
    const { api, settings, observer, log } = this.#ports
    const template = await this.#ports.template(signal)
    const path = `/api/v1/namespaces/${settings.namespace}/pods`
    const body = workerPod(node, { attempt, failures }, template)
    const send = () => api.request({ method: 'POST', path, body, signal })
    // Of two leaders at once one is told that the pod is there already.
    const made = await send()
      .catch(orConflict)
      .catch(error => {
        observer.started(node.name, error)
        throw error
      })
    const worker = parseWorker(made)
    if (worker === undefined) return
    this.recent.addWorker(worker)
    observer.started(node.name, undefined)
    log.info({ node: node.name, worker: worker.name, attempt, failures }, 'a worker pod verifies the node')
  }

  async #lift({ sight: { node }, worker }: Lift, signal: AbortSignal): Promise<void> {
    const { api, gate, events, observer, log, clock } = this.#ports
    const beganMs = clock.monotonic()
    const told = (ok: boolean) => observer.lifted(node.name, ok, (clock.monotonic() - beganMs) / 1000)
    try {
      await createNodeWriter(api, node.name).patch(node.uid, gate.liftSteps(node), signal)
    } catch (error) {
      // Somebody has changed the Node; the watch brings it as it is now.
      if (isStale(error) || isNotFound(error)) return
      told(false)
      throw error
    }
    told(true)
    log.info({ node: node.name, worker: worker.name }, 'verified by a worker pod, the taint is lifted')
    const note = `worker pod ${worker.name} has verified the network, pods may land here`
    await events.record(nodeRef(node), { type: 'Normal', reason: 'TaintLifted', note }, signal)
  }

  async #remove({ worker, force, why }: Removal, signal: AbortSignal): Promise<void> {
    const { api, settings, log } = this.#ports
    const path = `/api/v1/namespaces/${settings.namespace}/pods/${encodeURIComponent(worker.name)}`
    const body = { preconditions: { uid: worker.uid }, ...(force ? { gracePeriodSeconds: 0 } : {}) }
    await api.request({ method: 'DELETE', path, body, signal }).catch(orConflict).catch(orAbsent)
    log.debug({ node: worker.nodeName, worker: worker.name, why, force }, 'a worker pod is removed')
  }
}

function nameOf(action: Start | Lift | Removal): string {
  if (action.kind === 'start') return `start ${action.sight.node.uid} ${action.attempt}`
  const how = action.kind === 'remove' && action.force ? 'force' : action.kind
  return `${how} ${action.worker.uid}`
}

function orConflict(error: unknown): undefined {
  if (error instanceof KubeError && error.code === 'Conflict') return undefined
  throw error
}
