import { access } from 'node:fs/promises'
import { runCommand } from '../../machine/command.ts'
import type { Machine } from '../../machine/machine.ts'
import { waitFor } from '../../machine/wait.ts'
import { type NodePlan, net } from './plan.ts'
import { batch } from './segment.ts'

/** One node in the mesh. */
export interface MeshMember {
  readonly plan: NodePlan
  readonly machine: Machine
  readonly privateKey: string
  readonly publicKey: string
}

/** Starts wireguard-go on a node; the device has its key and address, but no peers yet. */
export async function startMember(plan: NodePlan, machine: Machine): Promise<MeshMember> {
  const daemon = await machine.start({
    name: 'wireguard-go',
    argv: ['wireguard-go', '--foreground', net.meshDevice],
    env: { LOG_LEVEL: 'error' },
  })
  const privateKey = (await runCommand(['wg', 'genkey'])).trim()
  const publicKey = (await runCommand(['wg', 'pubkey'], { input: privateKey })).trim()
  const socket = machine.path(`/run/wireguard/${net.meshDevice}.sock`)
  const wait = { what: `wireguard-go on ${plan.name}`, limitMs: 10_000, everyMs: 20, hopeless: [daemon.ended] }
  await waitFor(wait, () => access(socket).then(() => true))
  await machine.run(['ip', '-batch', '-'], {
    input: batch([
      `addr add ${plan.meshAddress}/${net.meshPrefix} dev ${net.meshDevice}`,
      `link set ${net.meshDevice} mtu ${net.meshMtu} up`,
    ]),
  })
  return { plan, machine, privateKey, publicKey }
}

/** A node's own pods' addresses, as the cluster gave them out. */
export type PodCidrs = ReadonlyMap<string, string>

/** Joins the members, each to each, and leads each node's pod addresses to it. */
export async function joinMembers(members: readonly MeshMember[], podCidrs: PodCidrs): Promise<void> {
  await Promise.all(
    members.map(member =>
      joinMember(
        member,
        members.filter(other => other !== member),
        podCidrs,
      ),
    ),
  )
}

async function joinMember(member: MeshMember, peers: readonly MeshMember[], podCidrs: PodCidrs): Promise<void> {
  // Through a pipe of the shell's: what Node makes for stdin is a socket, which cannot be opened by name.
  const setConfig = `cat | wg setconf ${net.meshDevice} /dev/stdin`
  await member.machine.shell(setConfig, { input: meshConfig(member, peers, podCidrs) })
  const routes = peers.map(({ plan }) => `route replace ${podCidrs.get(plan.name)} dev ${net.meshDevice}`)
  await member.machine.run(['ip', '-batch', '-'], { input: batch(routes) })
}

/** What `wg setconf` reads. */
export function meshConfig(
  member: Pick<MeshMember, 'privateKey'>,
  peers: readonly Pick<MeshMember, 'plan' | 'publicKey'>[],
  podCidrs: PodCidrs,
): string {
  const own = ['[Interface]', `PrivateKey = ${member.privateKey}`, `ListenPort = ${net.meshPort}`]
  const others = peers.flatMap(({ plan, publicKey }) => [
    '[Peer]',
    `PublicKey = ${publicKey}`,
    `Endpoint = ${plan.address}:${net.meshPort}`,
    `AllowedIPs = ${[`${plan.meshAddress}/32`, podCidrs.get(plan.name)].join(', ')}`,
    'PersistentKeepalive = 25',
  ])
  return `${[...own, ...others].join('\n')}\n`
}
