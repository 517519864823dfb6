import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatSocketAddress, type SocketAddress } from './addresses.ts'
import { type Device, DeviceFault, type DeviceKind } from './device.ts'
import { createReplyParts, type ReplyParts } from './reply-parts.ts'
import { getRequest, parseUapi, readErrno, setEndpointRequest } from './uapi.ts'
import { askSocket, type ExchangeLimits } from './uapi-socket.ts'
import { parseDump } from './wg-dump.ts'
import type { RunWg } from './wg-program.ts'

/** Names of the interfaces of this network namespace, a character for each byte. */
export type Interfaces = ReadonlySet<string>

/** Where devices of one kind are found and read. Names are bytes: interfaces may have any but / : and white space. */
export interface DeviceSource {
  readonly kind: DeviceKind
  /**
   * Which of the node's interfaces are its devices.
   * @throws DeviceFault where it cannot be known
   */
  list(interfaces: Interfaces): Promise<readonly Buffer[]>
  /** @throws DeviceFault */
  read(name: Buffer): Promise<Device>
  /**
   * Moves a peer's endpoint. A peer that is gone is not made again.
   * @throws DeviceFault
   */
  move(name: Buffer, publicKey: string, endpoint: SocketAddress): Promise<void>
}

/** One reply: far more than 1,000 peers with 5,000 networks have to say, and an end. */
const limits: ExchangeLimits = { timeoutMs: 500, maxBytes: 64 * 2 ** 20 }

/** A host's /var/run is mostly a link to /run, which below another root leads somewhere else. */
const socketFolders = ['/run/wireguard', '/var/run/wireguard']
const suffix = Buffer.from('.sock')

/** Devices that a program runs (wireguard-go, boringtun, netclient's and NetBird's own): each has a socket. */
export function userspaceDevices(hostRoot: string, timeoutMs = limits.timeoutMs): DeviceSource {
  const within = { ...limits, timeoutMs }
  const folders = socketFolders.map(folder => (hostRoot === '' ? folder : join(hostRoot, folder)))
  const found = new Map<string, Buffer>()
  const parts = createReplyParts()
  const pathOf = (name: Buffer) => {
    const path = found.get(keyOf(name))
    if (path === undefined) throw new DeviceFault('Unreachable', 'it has no socket')
    return path
  }
  return {
    kind: 'userspace',
    async list(interfaces) {
      const listings = await Promise.all(folders.map(readSockets))
      found.clear()
      for (const { name, path } of listings.flat()) {
        // A socket that outlived its interface is no device.
        if (interfaces.has(keyOf(name))) found.set(keyOf(name), path)
      }
      return [...found.keys()].map(key => Buffer.from(key, 'latin1'))
    },
    async read(name) {
      const reply = await askSocket(pathOf(name), getRequest, within)
      try {
        return parseUapi(reply, parts)
      } finally {
        reply.fill(0)
      }
    },
    async move(name, publicKey, endpoint) {
      const errno = readErrno(await askSocket(pathOf(name), setEndpointRequest(publicKey, endpoint), within))
      if (errno !== 0) throw new DeviceFault('BadReply', `the device answers with error ${errno}`)
    },
  }
}

async function readSockets(folder: string): Promise<readonly { name: Buffer; path: Buffer }[]> {
  const files = await readdir(folder, { encoding: 'buffer' }).catch(() => [])
  return files
    .filter(file => file.subarray(-suffix.length).equals(suffix))
    .map(file => ({ name: file.subarray(0, -suffix.length), path: Buffer.concat([Buffer.from(`${folder}/`), file]) }))
}

/** /sys would show the interfaces of the namespace that it was mounted in. */
export async function readInterfaces(): Promise<Interfaces> {
  const lines = (await readFile('/proc/self/net/dev', 'latin1')).split('\n')
  return new Set(lines.flatMap(line => /^\s*([^\s:]+):/.exec(line)?.[1] ?? []))
}

/**
 * Devices of the kernel, by way of `wg`, one at a time: `wg show all` would also ask every userspace device, and wait for
 * one that hangs.
 */
export function kernelDevices(run: RunWg): DeviceSource {
  const parts = createReplyParts()
  let known: { readonly interfaces: string; readonly names: readonly Buffer[] } | undefined
  return {
    kind: 'kernel',
    async list(all) {
      const interfaces = [...all].join(' ')
      // A process a look is too dear for a list that stays the same as long as there are the same interfaces.
      if (known?.interfaces === interfaces) return known.names
      const output = await run(['show', 'interfaces'], limits)
      const names = keyOf(output)
        .split(/\s+/)
        .flatMap(name => (name === '' ? [] : Buffer.from(name, 'latin1')))
      known = { interfaces, names }
      return names
    },
    async read(name) {
      return readKernel(run, textOf(name), parts).catch(error => {
        known = undefined
        throw error
      })
    },
    // The kernel would do without the other questions, but wg cannot be told to change only what is there.
    async move(name, publicKey, endpoint) {
      const text = textOf(name)
      const peerOf = (device: Device) => device.peers.find(peer => peer.publicKey === publicKey)
      const before = peerOf(await readKernel(run, text, parts))
      if (before === undefined) return
      await run(['set', text, 'peer', publicKey, 'endpoint', formatSocketAddress(endpoint)], limits)
      const after = peerOf(await readKernel(run, text, parts))
      // Removed in between, and made again by us: it has nothing but an endpoint.
      const made = before.allowedIPs.length > 0 && after?.allowedIPs.length === 0 && after.handshakeMs === undefined
      if (made) await run(['set', text, 'peer', publicKey, 'remove'], limits)
    },
  }
}

async function readKernel(run: RunWg, name: string, parts: ReplyParts): Promise<Device> {
  const output = await run(['show', name, 'dump'], limits)
  try {
    return parseDump(output, parts)
  } finally {
    output.fill(0)
  }
}

/** @throws DeviceFault */
function textOf(name: Buffer): string {
  const text = name.toString()
  if (!Buffer.from(text).equals(name)) throw new DeviceFault('Unreachable', 'its name is no text: wg cannot be asked')
  return text
}

/** One text for one row of bytes. */
function keyOf(bytes: Buffer): string {
  return bytes.toString('latin1')
}
