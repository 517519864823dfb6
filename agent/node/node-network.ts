import { describeVerdict } from '../gate/condition.ts'
import type { KubeNode } from '../kube/node.ts'
import { createNodeNetworkWriter } from '../kube/node-network-writer.ts'
import type { Running } from '../runtime/duty.ts'
import { startLoop } from '../runtime/loop.ts'
import type { TimedVerdict } from '../verify/status.ts'
import { findEgress } from '../wireguard/egress.ts'
import { readNetworks } from '../wireguard/own-addresses.ts'
import { readNetclientEndpoint } from '../wireguard/own-endpoint.ts'
import { createPublishDuty } from '../wireguard/publish-duty.ts'
import type { Wish } from '../wireguard/publish-plan.ts'
import { describePeers, describeSpec } from '../wireguard/published.ts'
import type { NodeContext } from './context.ts'

/** netclient finds out its own address every few minutes at most. */
const netclientMs = 60_000

/** Publishes this node's part in the mesh, by which the other agents know it. */
export function publishNetwork(node: NodeContext): Running | undefined {
  const { settings, networks, ownNode, mesh, verdict, standing, log, loop, kube } = node
  if (settings.gate.dryRun) return undefined
  const findNetclient = keepFor(netclientMs, loop.clock.monotonic, () =>
    readNetclientEndpoint(settings.install.hostRoot),
  )
  const duty = createPublishDuty({
    owner: ownNode.current,
    seen: () => networks.synced() && networks.get(settings.nodeName),
    async wish() {
      const [seen, netclient] = [ownNode.current(), await findNetclient()]
      return seen && wishOf(node, seen, netclient)
    },
    writer: createNodeNetworkWriter(kube),
    clock: loop.clock,
    log,
  })
  const running = startLoop(duty, loop)
  for (const followed of [ownNode, mesh, verdict, standing]) followed.onChange(running.wake)
  networks.subscribe(changes => {
    if (changes.length === 0 || changes.some(({ key }) => key === settings.nodeName)) running.wake()
  })
  return running
}

function wishOf(
  { settings, mesh, verdict, networks, standing }: NodeContext,
  seen: KubeNode,
  netclient: string | undefined,
): Wish | undefined {
  const [state, stands] = [mesh.current(), standing.current()]
  // One write says all, where there is nothing to say of before.
  if (state === undefined || stands === undefined) return undefined
  const { endpoint: setting, expectExternal } = settings.wireguard
  const { podCIDRs, addresses } = seen
  const inside = [...podCIDRs, ...readNetworks(state.devices.map(({ name }) => name))]
  const { peers, missing } = findEgress(settings.nodeName, networks.values())
  const egress = { peers, routed: peers - missing.length }
  const own = { setting, expectExternal, addresses, netclient, inside, podCIDRs, podAddresses: stands.addresses }
  const found = { ...describeResult(verdict.current()), ...describePeers(state), egress }
  return { spec: describeSpec(state, own), status: found }
}

function describeResult(found: TimedVerdict | undefined) {
  if (found === undefined) return { verdict: 'Unknown', reason: 'Verifying' } as const
  const { passed } = found.verdict
  return { verdict: passed ? 'Ready' : 'NotReady', reason: describeVerdict(found.verdict).reason } as const
}

function keepFor<T>(ms: number, now: () => number, read: () => Promise<T>): () => Promise<T> {
  let kept: { readonly value: Promise<T>; readonly atMs: number } | undefined
  return () => {
    if (kept === undefined || now() - kept.atMs > ms) kept = { value: read(), atMs: now() }
    return kept.value
  }
}
