import type { Machine } from '../../machine/machine.ts'
import { batch } from '../../machine/mesh.ts'
import { net } from './plan.ts'

/** A machine with a cable to the switch. */
export interface Port {
  readonly machine: Machine
  readonly label: string
  readonly address: string
}

/**
 * The cluster's internet: a switch with a cable to each machine. It is also everybody's default gateway, without which
 * a kubelet finds no address of its own; it leads nowhere and says so at once.
 */
export async function connectMachines(hub: Machine, ports: readonly Port[]): Promise<void> {
  const lines = [
    'link add segment type bridge',
    'link set segment up',
    `addr add ${net.gateway}/${net.internetPrefix} dev segment`,
    ...ports.flatMap(({ machine, label }) => [
      `link add ${label} type veth peer name eth0 netns ${machine.pid}`,
      `link set ${label} master segment up`,
    ]),
  ]
  await hub.shell('echo 1 >/proc/sys/net/ipv4/ip_forward; ip -batch -', { input: batch(lines) })
  await Promise.all(ports.map(({ machine, address }) => machine.run(['ip', '-batch', '-'], { input: uplink(address) })))
}

function uplink(address: string): string {
  return batch([
    `addr add ${address}/${net.internetPrefix} dev eth0`,
    'link set eth0 up',
    `route add default via ${net.gateway}`,
  ])
}
