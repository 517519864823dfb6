import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { decodeProbe, encodeAsk } from './message.ts'
import { askByUdp } from './question.ts'

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
  const nonce = randomBytes(16).toString('hex')
  const datagram = encodeAsk(nonce, bytes)
  await askByUdp({ address: to.address, silence: 'PeersUnreachable', signal }, (socket, asking) => {
    // Not bound to the peer's address: a machine with several may answer from another one.
    socket.on('message', received => {
      const message = decodeProbe(received)
      if (message?.kind === 'answer' && message.nonce === nonce) asking.answered()
    })
    // "Message too long" is how the kernel tells of a narrow path: the next try is cut to fit.
    socket.on('error', () => undefined)
    asking.repeat(() => socket.send(datagram, to.port, to.address, () => undefined))
  })
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
