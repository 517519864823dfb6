import { existsSync } from 'node:fs'
import { runCommand } from './command.ts'
import type { Machine } from './machine.ts'
import { until } from './wait.ts'

/** The WireGuard network that joins a test's nodes: its interface on each of them. */
export interface Mesh {
  readonly device: string
  readonly port: number
  /** WireGuard's headers take 80 bytes of 1500. */
  readonly mtu: number
  readonly prefixLength: number
}

interface MeshKeys {
  readonly privateKey: string
  readonly publicKey: string
}

/** A node as the others see it. */
interface MeshPeer {
  readonly publicKey: string
  /** Where its daemon is reached. */
  readonly address: string
  readonly meshAddress: string
  readonly podCidr: string
}

/** One node in the mesh, itself. */
export interface MeshMember extends MeshKeys, Pick<MeshPeer, 'address' | 'meshAddress'> {
  readonly machine: Machine
}

/** Starts wireguard-go on a node; the device has its key and address, but no peers yet. */
export async function startMember(
  { device, mtu, prefixLength }: Mesh,
  node: Pick<MeshMember, 'machine' | 'address' | 'meshAddress'>,
): Promise<MeshMember> {
  const { machine, address, meshAddress } = node
  // The second one spares its log a banner about kernel modules.
  const env = { LOG_LEVEL: 'error', WG_PROCESS_FOREGROUND: '1' }
  const daemon = machine.start({ name: 'wireguard-go', argv: ['wireguard-go', '--foreground', device], env })
  const privateKey = (await runCommand(['wg', 'genkey'])).trim()
  const publicKey = (await runCommand(['wg', 'pubkey'], { input: privateKey })).trim()
  const socket = machine.path(`/run/wireguard/${device}.sock`)
  await until(`${daemon.name} on ${machine.hostName}`, () => existsSync(socket) || daemon.failIfEnded())
  const lines = [`addr add ${meshAddress}/${prefixLength} dev ${device}`, `link set ${device} mtu ${mtu} up`]
  await machine.run(['ip', '-batch', '-'], { input: batch(lines) })
  return { machine, address, meshAddress, privateKey, publicKey }
}

/** Joins the members, each to each, and leads each one's pod addresses to it. */
export async function joinMembers(
  { device, port }: Mesh,
  members: readonly (MeshMember & MeshPeer)[],
  keepaliveSeconds?: number,
): Promise<void> {
  const joinOne = async ({ machine, privateKey, publicKey }: MeshMember) => {
    const peers = members.filter(other => other.publicKey !== publicKey)
    const input = meshConfig({
      privateKey,
      port,
      peers,
      ...(keepaliveSeconds === undefined ? {} : { keepaliveSeconds }),
    })
    // Through a pipe of the shell's: what Node makes for stdin is a socket, which cannot be opened by name.
    await machine.shell(`cat | wg setconf ${device} /dev/stdin`, { input })
    const routes = peers.map(({ podCidr }) => `route replace ${podCidr} dev ${device}`)
    await machine.run(['ip', '-batch', '-'], { input: batch(routes) })
  }
  await Promise.all(members.map(joinOne))
}

interface MeshConfig {
  readonly privateKey: string
  readonly port: number
  readonly peers: readonly MeshPeer[]
  /** Absent = a peer that has nothing to say is silent. */
  readonly keepaliveSeconds?: number
}

/** What `wg setconf` reads. */
export function meshConfig({ privateKey, port, peers, keepaliveSeconds }: MeshConfig): string {
  const own = ['[Interface]', `PrivateKey = ${privateKey}`, `ListenPort = ${port}`]
  const others = peers.flatMap(peer => [
    '[Peer]',
    `PublicKey = ${peer.publicKey}`,
    `Endpoint = ${peer.address}:${port}`,
    `AllowedIPs = ${peer.meshAddress}/32, ${peer.podCidr}`,
    ...(keepaliveSeconds === undefined ? [] : [`PersistentKeepalive = ${keepaliveSeconds}`]),
  ])
  return batch([...own, ...others])
}

/** Lines as `ip -batch -` reads them. */
export function batch(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}
