import type { GateSettings } from '../config/settings.ts'
import { type KubeApi, orAbsent } from '../kube/api.ts'
import { type EventRecorder, type KubeEvent, nodeRef } from '../kube/events.ts'
import type { KubeNode } from '../kube/node.ts'
import { createNodeWriter, isStale } from '../kube/node-writer.ts'
import { conditionType } from './condition.ts'
import { findMarks, type OwnMarks, unmarkSteps } from './taints.ts'

/** Whose marks are taken off. */
export interface UnmarkOptions {
  readonly api: KubeApi
  readonly events: EventRecorder
  readonly node: string
  readonly settings: Pick<GateSettings, 'taint' | 'label'>
  /** Types of conditions that go besides nopal.io/NetworkReady. */
  readonly conditions?: readonly string[]
  readonly signal: AbortSignal
}

/** Others change a Node's taints, too, but not without end. */
const mostTries = 5

/**
 * Takes taint, label and conditions off a node that nobody verifies any more. Also a taint that kubelet registered the
 * node with: nobody would ever lift it. An Event on the Node says so.
 * @returns for people: what was done
 * @throws KubeError
 */
export async function unmark(options: UnmarkOptions): Promise<readonly string[]> {
  const { api, node: name, settings, events, signal } = options
  const node = await createNodeWriter(api, name).read(signal).catch(orAbsent)
  if (node === undefined) return [`there is no node ${name}`]
  const { labelled, taintAt } = await takeMarksOff(node, options)
  const conditions = await takeConditionsOff(node, options)
  if (taintAt.length > 0) await events.record(nodeRef(node), lifted(settings), signal)
  return [
    ...(labelled ? [`removed label ${settings.label.key}`] : []),
    ...conditions.map(type => `removed condition ${type}`),
    ...(taintAt.length > 0 ? [`removed taint ${settings.taint.key}`] : []),
  ]
}

/** In one patch: of the node as it was read, or, where others wrote meanwhile, as it is then. Returns what there was. */
async function takeMarksOff(read: KubeNode, { api, settings, signal }: UnmarkOptions): Promise<OwnMarks> {
  const writer = createNodeWriter(api, read.name)
  for (let node = read, tries = 1; ; tries += 1) {
    const steps = unmarkSteps(node, settings)
    try {
      if (steps.length > 0) await writer.patch(node.uid, steps, signal)
      return findMarks(node, settings)
    } catch (error) {
      if (!isStale(error) || tries === mostTries) throw error
      node = await writer.read(signal)
    }
  }
}

async function takeConditionsOff(node: KubeNode, options: UnmarkOptions): Promise<readonly string[]> {
  const { api, signal, conditions: more = [] } = options
  const types = [conditionType, ...more].filter(type => node.conditions.some(each => each.type === type))
  if (types.length === 0) return types
  const conditions = types.map(type => ({ type, $patch: 'delete' }))
  const body = { metadata: { uid: node.uid }, status: { conditions } }
  const path = `/api/v1/nodes/${encodeURIComponent(node.name)}/status`
  await api.request({ method: 'PATCH', path, body, contentType: 'application/strategic-merge-patch+json', signal })
  return types
}

function lifted({ taint }: UnmarkOptions['settings']): KubeEvent {
  const note =
    `nopal is taken away and nobody else lifts ${taint.key}, so pods may land here though nobody verifies the network; ` +
    'new nodes keep it while kubelet (--register-with-taints) or Karpenter (startupTaints) registers them with it'
  return { type: 'Warning', reason: 'TaintLifted', note }
}
