import type { KubeApi } from '../kube/api.ts'
import { type EventRecorder, nodeRef } from '../kube/events.ts'
import type { NodeNetwork } from '../kube/node-network.ts'
import { createNodeWriter } from '../kube/node-writer.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Duty } from '../runtime/duty.ts'
import type { NetmakerClient } from './client.ts'
import { type EffectCause, type EffectView, findMissingEffects, type MissingEffect } from './effect.ts'
import type { Outlook } from './pass.ts'
import type { ClusterNode, EffectCondition } from './world.ts'

export interface EffectDutyOptions {
  readonly api: KubeApi
  readonly client: Pick<NetmakerClient, 'status'>
  readonly recorder: EventRecorder
  readonly clock: Clock
  readonly nodes: () => Iterable<ClusterNode>
  /** undefined = not all of them are known. */
  readonly networks: () => Iterable<NodeNetwork> | undefined
  /** Of the last pass; undefined = there was none. */
  readonly outlook: () => Outlook | undefined
  readonly onEffects: (missing: readonly MissingEffect[]) => void
}

/** Type of the condition on a Node whose rules have not come to all others. A Node that never had one gets none. */
export const effectCondition = 'nopal.io/EgressInEffect'

const everyMs = 30_000
/** The first pass over the rules takes a moment, and so does a list of what agents say. */
const unknownMs = 1_000
/** A rule takes seconds to come to the nodes, and what they publish as long again. */
const graceMs = 60_000

const likely: Readonly<Record<EffectCause, string>> = {
  DuplicateRange: 'another rule of the network has an overlapping range',
  EndpointInRange: "the range holds the host's own endpoint, so the server leaves it out",
  Disconnected: 'the node is disconnected in Netmaker',
  MessagingDown: 'the server does not reach its message broker, so no host hears of changes',
  AccessPolicy: 'an access policy does not name the rule, or the hosts have not heard of it',
}

/** Tells, by a condition and an Event on the Node, of rules that are there and have no effect. */
export function createEffectDuty(options: EffectDutyOptions): Duty {
  const sinceMs = new Map<string, number>()
  return {
    name: 'egress-effect',
    async reconcile(signal) {
      const [outlook, networks] = [options.outlook(), options.networks()]
      if (outlook === undefined || networks === undefined) return unknownMs
      const found = await look(options.client, { ...outlook, networks: [...networks] }, signal)
      const nowMs = options.clock.monotonic()
      const missing = settled(found, sinceMs, nowMs)
      options.onEffects(missing)
      const byNode = Map.groupBy(missing, ({ node }) => node)
      const doubted = new Set(found.map(({ node }) => node))
      for (const node of options.nodes()) {
        const own = byNode.get(node.name) ?? []
        // Not wrong for long enough, nor right: what the leader before this one has said of it stays.
        if (own.length > 0 || !doubted.has(node.name)) await show(options, node, { missing: own, signal })
      }
      const waits = [...sinceMs.values()].map(atMs => atMs + graceMs - nowMs).filter(waitMs => waitMs > 0)
      return Math.min(everyMs, ...waits)
    },
  }
}

async function look(
  client: EffectDutyOptions['client'],
  view: Omit<EffectView, 'brokerConnected'>,
  signal: AbortSignal,
): Promise<readonly MissingEffect[]> {
  const unsure = findMissingEffects({ ...view, brokerConnected: undefined })
  if (unsure.length === 0) return []
  const { brokerConnected } = await client.status(signal)
  return findMissingEffects({ ...view, brokerConnected })
}

/** Those that have been missing for long enough; forgets those that are not any more. */
function settled(
  missing: readonly MissingEffect[],
  sinceMs: Map<string, number>,
  nowMs: number,
): readonly MissingEffect[] {
  const keyOf = ({ node, network, range }: MissingEffect) => `${network} ${node} ${range}`
  const keys = new Set(missing.map(keyOf))
  for (const key of sinceMs.keys()) if (!keys.has(key)) sinceMs.delete(key)
  for (const key of keys) if (!sinceMs.has(key)) sinceMs.set(key, nowMs)
  return missing.filter(one => nowMs - (sinceMs.get(keyOf(one)) ?? nowMs) >= graceMs)
}

interface Showing {
  readonly missing: readonly MissingEffect[]
  readonly signal: AbortSignal
}

async function show(options: EffectDutyOptions, node: ClusterNode, { missing, signal }: Showing): Promise<void> {
  const text = planEffectCondition(node.inEffect, missing)
  if (text === undefined) return
  const time = new Date(options.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
  const condition = { type: effectCondition, ...text, lastHeartbeatTime: time, lastTransitionTime: time }
  await createNodeWriter(options.api, node.name).setCondition(node.uid, condition, signal)
  if (text.status === 'True') return
  const event = { type: 'Warning', reason: 'EgressNoEffect', note: `${text.reason}: ${text.message}` } as const
  await options.recorder.record(nodeRef(node), event, signal)
}

/** The condition that a Node needs; undefined where it says so already, or where nothing was ever wrong. */
export function planEffectCondition(
  known: EffectCondition | undefined,
  missing: readonly MissingEffect[],
): EffectCondition | undefined {
  const [worst] = missing.toSorted((one, other) => other.missingAt.length - one.missingAt.length)
  if (worst === undefined) {
    if (known === undefined || known.status === 'True') return undefined
    return { status: 'True', reason: 'InEffect', message: 'every egress rule has come to all nodes that tell' }
  }
  const text: EffectCondition = { status: 'False', reason: worst.cause, message: describe(worst) }
  return known?.status === 'False' && known.reason === text.reason && known.message === text.message ? undefined : text
}

function describe({ range, network, missingAt, cause }: MissingEffect): string {
  const names = missingAt.toSorted().slice(0, 3).join(', ')
  const more = missingAt.length > 3 ? ', ...' : ''
  const where = `${missingAt.length} node${missingAt.length === 1 ? '' : 's'} (${names}${more})`
  return `the egress rule for ${range} in ${network} is there and has no effect on ${where}; likely ${likely[cause]}`
}
