import { runCommand } from './command.ts'

/** The WireGuard network that joins a test's nodes: its interface on each of them. */
export interface Mesh {
  readonly device: string
  readonly port: number
  /** WireGuard's headers take 80 bytes of 1500. */
  readonly mtu: number
  readonly prefixLength: number
}

export interface MeshKeys {
  readonly privateKey: string
  readonly publicKey: string
}

/** A node as the others see it. */
export interface MeshPeer {
  readonly publicKey: string
  /** Where its daemon is reached. */
  readonly address: string
  readonly meshAddress: string
  readonly podCidr: string
}

/** Runs a program on a node, which must succeed. */
export type RunOnNode = (argv: readonly string[], options: { readonly input: string }) => Promise<string>

/** What runs on each node as long as the mesh is there. */
export function meshDaemon({ device }: Pick<Mesh, 'device'>) {
  // The second one spares its log a banner about kernel modules.
  const env = { LOG_LEVEL: 'error', WG_PROCESS_FOREGROUND: '1' }
  return { name: 'wireguard-go', argv: ['wireguard-go', '--foreground', device], env }
}

/** The file that is there once the daemon takes orders. */
export function meshSocket({ device }: Pick<Mesh, 'device'>): string {
  return `/run/wireguard/${device}.sock`
}

export async function makeMeshKeys(): Promise<MeshKeys> {
  const privateKey = (await runCommand(['wg', 'genkey'])).trim()
  const publicKey = (await runCommand(['wg', 'pubkey'], { input: privateKey })).trim()
  return { privateKey, publicKey }
}

/** Gives the node's device its address; it has no peers yet. */
export async function bringUp(run: RunOnNode, { device, mtu, prefixLength }: Mesh, address: string): Promise<void> {
  const lines = [`addr add ${address}/${prefixLength} dev ${device}`, `link set ${device} mtu ${mtu} up`]
  await run(['ip', '-batch', '-'], { input: batch(lines) })
}

/** Joins the node with its peers, and leads each peer's pod addresses to it. */
export async function join(run: RunOnNode, { device }: Mesh, wish: MeshConfig): Promise<void> {
  // Through a pipe of the shell's: what Node makes for stdin is a socket, which cannot be opened by name.
  await run(['sh', '-ec', `cat | wg setconf ${device} /dev/stdin`], { input: meshConfig(wish) })
  const routes = wish.peers.map(({ podCidr }) => `route replace ${podCidr} dev ${device}`)
  await run(['ip', '-batch', '-'], { input: batch(routes) })
}

export interface MeshConfig {
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
