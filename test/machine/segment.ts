import type { Machine } from './machine.ts'
import { batch } from './mesh.ts'

/** A machine with a cable to the switch. */
export interface Port {
  readonly machine: Machine
  readonly label: string
  readonly address: string
}

/** The internet of the tests: a range set aside for documentation, so it is nobody's. */
const prefixLength = 24

/**
 * A switch with a cable to each machine. It is also everybody's default gateway, without which a kubelet finds no
 * address of its own; it leads nowhere and says so at once, which beats a silence.
 */
export async function connectMachines(hub: Machine, gateway: string, ports: readonly Port[]): Promise<void> {
  const lines = [
    'link add segment type bridge',
    'link set segment up',
    `addr add ${gateway}/${prefixLength} dev segment`,
    ...ports.flatMap(({ machine, label }) => [
      `link add ${label} type veth peer name eth0 netns ${machine.pid}`,
      `link set ${label} master segment up`,
    ]),
  ]
  await hub.shell('echo 1 >/proc/sys/net/ipv4/ip_forward; ip -batch -', { input: batch(lines) })
  const uplink = (address: string) =>
    batch([`addr add ${address}/${prefixLength} dev eth0`, 'link set eth0 up', `route add default via ${gateway}`])
  await Promise.all(ports.map(({ machine, address }) => machine.run(['ip', '-batch', '-'], { input: uplink(address) })))
}

/** The host's ends of pods' cables: what is plugged into a bridge. */
export async function cablesOf(machine: Machine): Promise<readonly string[]> {
  const links = JSON.parse(await machine.run(['ip', '-json', 'link', 'show', 'type', 'veth'])) as { ifname: string }[]
  return links.map(link => link.ifname).filter(name => name !== 'eth0')
}
