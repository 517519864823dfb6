import { existsSync } from 'node:fs'
import { until } from '../machine/wait.ts'
import type { Cleanup } from './cleanup.ts'
import type { LabNode } from './node.ts'
import type { LabRun } from './run.ts'

/** The mesh's interface, port and sizes; 1420 leaves room for WireGuard's headers in 1500. */
export const mesh = {
  device: 'nm-lab',
  port: 51821,
  mtu: 1420,
  prefixLength: 24,
  address: (number: number) => `10.101.0.${number}`,
} as const

/** The second one spares its log a banner about kernel modules. */
const daemonSettings = { LOG_LEVEL: 'error', WG_PROCESS_FOREGROUND: '1' }

interface Member {
  readonly node: LabNode
  readonly privateKey: string
  readonly publicKey: string
}

/** Joins the nodes by WireGuard, each to each, and routes their pods' networks over it. */
export async function startMesh(run: LabRun, nodes: readonly LabNode[], cleanup: Cleanup): Promise<void> {
  const members = await Promise.all(nodes.map(node => makeMember(run, node)))
  await Promise.all(members.map(member => join(member, members, cleanup)))
}

async function makeMember(run: LabRun, node: LabNode): Promise<Member> {
  const privateKey = (await run.must(['wg', 'genkey'])).trim()
  const publicKey = (await run.must(['wg', 'pubkey'], { input: privateKey })).trim()
  return { node, privateKey, publicKey }
}

async function join(member: Member, members: readonly Member[], cleanup: Cleanup): Promise<void> {
  const { node } = member
  const peers = members.filter(other => other !== member)
  const daemon = node.start('wireguard-go', ['wireguard-go', '--foreground', mesh.device], daemonSettings)
  cleanup.add(`wireguard-go of ${node.name}`, () => daemon.stop())
  const socket = node.path(`/run/wireguard/${mesh.device}.sock`)
  await until(`wireguard-go on ${node.name}`, () => existsSync(socket) || failIfEnded(daemon))
  // wg opens its input by name, which only works for a real pipe.
  await node.must(['sh', '-c', `cat | wg setconf ${mesh.device} /dev/stdin`], { input: configOf(member, peers) })
  const routes = peers.map(peer => `route add ${peer.node.plan.podCidr} dev ${mesh.device}`)
  const lines = [
    `addr add ${node.plan.meshAddress}/${mesh.prefixLength} dev ${mesh.device}`,
    `link set ${mesh.device} mtu ${mesh.mtu} up`,
    ...routes,
  ]
  await node.must(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` })
}

function configOf(member: Member, peers: readonly Member[]): string {
  const own = ['[Interface]', `PrivateKey = ${member.privateKey}`, `ListenPort = ${mesh.port}`]
  const others = peers.flatMap(({ publicKey, node: { plan } }) => [
    '[Peer]',
    `PublicKey = ${publicKey}`,
    `Endpoint = ${plan.publicAddress}:${mesh.port}`,
    `AllowedIPs = ${plan.meshAddress}/32, ${plan.podCidr}`,
  ])
  return `${[...own, ...others].join('\n')}\n`
}

function failIfEnded(daemon: { readonly running: boolean; log(): string }): false {
  if (daemon.running) return false
  throw new Error(`wireguard-go ended: ${daemon.log().slice(-1000)}`)
}
