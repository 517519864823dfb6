import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { CheckFault } from '../check.ts'
import { decodeProbe, encodeAsk } from './message.ts'
import { sendAgain } from './repeat.ts'

/** Datagrams to other agents. */
export interface PeerPort {
  /**
   * Sends a datagram of so many bytes, again if it seems lost, until the same comes back.
   * @throws CheckFault PeersUnreachable when the signal fires first
   */
  echo(address: string, bytes: number, signal: AbortSignal): Promise<void>
  /** The largest packet that the interface towards an address takes; undefined = not known. */
  mtuTowards(address: string): Promise<number | undefined>
}

/**
 * The kernel marks datagrams as not to be fragmented as long as they fit the interface. A router that says why it dropped
 * one is heard, and the next try is cut to fit; a hole that says nothing swallows all of them.
 */
export function createPeerPort(port: number): PeerPort {
  return {
    echo: (address, bytes, signal) => exchange({ address, port }, bytes, signal),
    mtuTowards: address => mtuTowards(address, port),
  }
}

async function exchange(to: { address: string; port: number }, bytes: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const socket = createSocket(isIPv6(to.address) ? 'udp6' : 'udp4')
  const nonce = randomBytes(16).toString('hex')
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const done = new AbortController()
  const silent = () => reject(new CheckFault('PeersUnreachable', 'no answer in time', signal.reason))
  signal.addEventListener('abort', silent, { once: true })
  // Not bound to the peer's address: a machine with several may answer from another one.
  socket.on('message', datagram => {
    const message = decodeProbe(datagram)
    if (message?.kind === 'answer' && message.nonce === nonce) resolve()
  })
  // "Message too long" is how the kernel tells of a narrow path: the next try is cut to fit.
  socket.on('error', () => undefined)
  const datagram = encodeAsk(nonce, bytes)
  sendAgain(() => socket.send(datagram, to.port, to.address, () => undefined), done.signal)
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', silent)
    done.abort()
    socket.close()
  }
}

async function mtuTowards(address: string, port: number): Promise<number | undefined> {
  const local = await localAddressTowards(address, port).catch(() => undefined)
  const found = Object.entries(networkInterfaces()).find(([, all]) => all?.some(each => each.address === local))
  return found === undefined ? undefined : readMtu(found[0])
}

/**
 * A connected socket has the address that the routes give it; nothing is sent.
 * @throws the error of connect(2), such as ENETUNREACH
 */
export async function localAddressTowards(address: string, port: number): Promise<string> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.on('error', reject)
  socket.connect(port, address, () => resolve())
  try {
    await promise
    return socket.address().address
  } finally {
    socket.close()
  }
}

/**
 * This file belongs to the network namespace of its reader, while /sys shows the one it was mounted in. It is the
 * device's own MTU as long as the device has IPv6, which it has without any address.
 */
async function readMtu(device: string): Promise<number | undefined> {
  const text = await readFile(`/proc/sys/net/ipv6/conf/${device}/mtu`, 'utf8').catch(() => '')
  const mtu = Number(text.trim())
  return Number.isInteger(mtu) && mtu > 0 ? mtu : undefined
}
