import { createEventRecorder, nodeRef } from '../kube/events.ts'
import { createLease } from '../kube/lease.ts'
import { readServiceCIDRs } from '../kube/service-cidrs.ts'
import type { Duty, Running } from '../runtime/duty.ts'
import { startLoop } from '../runtime/loop.ts'
import { createPeerPort } from '../verify/peers/exchange.ts'
import { payloadOf } from '../verify/peers/packet-size.ts'
import { createMeshDuty } from '../wireguard/duty.ts'
import { findEgress } from '../wireguard/egress.ts'
import { createFilterDuty } from '../wireguard/filter-duty.ts'
import { createMapSource, type MapSource } from '../wireguard/map-source.ts'
import { createWireguardMetrics } from '../wireguard/metrics.ts'
import { resetNetclient } from '../wireguard/netclient.ts'
import { runNft } from '../wireguard/nft-program.ts'
import { openNodeObserver } from '../wireguard/node-observer.ts'
import { readOwnAddresses } from '../wireguard/own-addresses.ts'
import { filterFacts } from '../wireguard/packet-filter.ts'
import { createProver } from '../wireguard/prover.ts'
import { createReset } from '../wireguard/reset.ts'
import { createMeshStatus } from '../wireguard/status.ts'
import type { NodeContext } from './context.ts'

/** The start is busy enough, and Services are seldom endpoints. */
const firstServicesMs = 10_000
const servicesMs = 60 * 60_000

/** Looks at the node's WireGuard devices and puts wrong endpoints right, as far as the settings let it. */
export async function guardMesh(node: NodeContext): Promise<Running> {
  const { settings, log, kube, networks, ownNode, mesh, loop } = node
  const { clock } = loop
  const { nodeName, apiService, install, wireguard, gate } = settings
  const source = createMapSource({ self: nodeName, networks: networks.values, ownAddresses: readOwnAddresses })
  networks.subscribe(changes => {
    if (changes.some(({ before, after }) => JSON.stringify(before?.spec) !== JSON.stringify(after?.spec)))
      source.change()
  })
  const events = createEventRecorder({ api: kube, clock, log, instance: nodeName, onEvent: node.onEvent })
  const observer = await openNodeObserver({
    hostRoot: install.hostRoot,
    interfaces: wireguard.interfaces,
    clock,
    waits: true,
    onNoRoutes: error => log.warn({ err: error }, 'the kernel cannot be asked for routes: no nested endpoint is seen'),
  })
  const duty = createMeshDuty({
    observer,
    map: source.current,
    mode: gate.dryRun && wireguard.heal === 'heal' ? 'observe' : wireguard.heal,
    prover: createProver((address, signal) => sendFullSize(settings.agent.listen.port, address, signal)),
    reset: openReset(node),
    async tell(event, signal) {
      const seen = ownNode.current()
      if (seen !== undefined && !gate.dryRun) await events.record(nodeRef(seen), event, signal)
    },
    onState(state) {
      const open = mesh.current()?.incidents.size ?? 0
      mesh.set(state)
      // Nobody has to wait for the next verification to hear of it.
      if ((open === 0) !== (state.incidents.size === 0)) node.wanted.set('verification')
    },
    metrics: createWireguardMetrics(node.metrics),
    clock,
    log,
    random: loop.random,
  })
  node.status.add(createMeshStatus(mesh.current, () => findEgress(nodeName, networks.values())))
  const parts = [
    startLoop(duty, loop),
    startLoop(servicesDuty(node, source, apiService?.host), loop),
    startFilter(node),
  ]
  return { stop: () => Promise.all(parts.map(part => part?.stop())).then(observer.close) }
}

/** In a dry run the node's rules stay as they are. */
function startFilter({ settings, networks, mesh, log, loop }: NodeContext): Running | undefined {
  const { wireguard, gate, nodeName } = settings
  if (gate.dryRun) return undefined
  const filter = createFilterDuty({
    wanted: wireguard.prevent,
    facts() {
      const state = mesh.current()
      return networks.synced() && state !== undefined ? filterFacts(state, nodeName) : undefined
    },
    run: runNft,
    clock: loop.clock,
    log,
  })
  const running = startLoop(filter, loop)
  if (wireguard.prevent) mesh.onChange(running.wake)
  return running
}

function servicesDuty({ kube }: NodeContext, source: MapSource, apiHost: string | undefined): Duty {
  const own = apiHost === undefined ? [] : [apiHost]
  let started = false
  return {
    name: 'service-networks',
    async reconcile(signal) {
      if (!started) {
        started = true
        source.setServices(own)
        return firstServicesMs
      }
      source.setServices([...own, ...(await readServiceCIDRs(kube, signal))])
      return servicesMs
    },
  }
}

/** The way to the own node's netclient, which one node of the cluster takes at a time. */
function openReset({ settings, kube, log, loop }: NodeContext) {
  const { clock } = loop
  const { nodeName: holder, podNamespace: namespace } = settings
  const lease = createLease({ api: kube, namespace, name: 'nopal-heal', holder, clock, log })
  return createReset({ lease, forget: resetNetclient, clock })
}

async function sendFullSize(port: number, address: string, signal: AbortSignal): Promise<void> {
  const peers = createPeerPort(port)
  const mtu = await peers.mtuTowards(address)
  if (mtu === undefined) throw new Error('the way to the peer has no size')
  await peers.echo(address, payloadOf(address, mtu), signal)
}
