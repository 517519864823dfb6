import type { Cleanup } from './cleanup.ts'
import { inNamespace, ipBatch, makeNamespaces, removeNamespaces } from './namespaces.ts'
import type { LabRun } from './run.ts'

/** Addresses of the lab's internet: a range set aside for documentation, so it is nobody's. */
export const internet = {
  gateway: '203.0.113.1',
  controlPlane: '203.0.113.2',
  prefixLength: 24,
  nodeAddress: (number: number) => `203.0.113.${10 + number}`,
} as const

/** One end of a cable to the switch. */
export interface Port {
  readonly namespace: string
  readonly label: string
  readonly address: string
}

/**
 * A switch in a namespace of its own with a cable to each port. It is also everybody's default gateway: it has
 * nowhere to send packets on to, and says so at once, which beats a silence.
 */
export async function startInternet(run: LabRun, ports: readonly Port[], cleanup: Cleanup): Promise<void> {
  const hub = run.namespace('internet')
  const names = [hub, ...ports.map(port => port.namespace)]
  cleanup.add('namespaces', () => removeNamespaces(run, names))
  await makeNamespaces(run, names)
  await run.must(inNamespace(hub, ['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']))
  await ipBatch(run, hub, [
    'link add segment type bridge',
    'link set segment up',
    `addr add ${internet.gateway}/${internet.prefixLength} dev segment`,
    ...ports.flatMap(cable),
  ])
  for (const port of ports) await ipBatch(run, port.namespace, uplink(port))
}

function cable(port: Port): string[] {
  return [
    `link add ${port.label} type veth peer name eth0 netns ${port.namespace}`,
    `link set ${port.label} master segment up`,
  ]
}

function uplink(port: Port): string[] {
  return [
    `addr add ${port.address}/${internet.prefixLength} dev eth0`,
    'link set eth0 up',
    `route add default via ${internet.gateway}`,
  ]
}
