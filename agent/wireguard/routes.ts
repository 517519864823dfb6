import type { NetlinkSocket } from 'netlink/dist/netlink.js'
import { type Address, parseAddress } from './addresses.ts'
import type { Route } from './classify.ts'

/**
 * What the kernel answers about routes. The one file that knows of `netlink`: its native part ends the process when the
 * kernel drops what was not fetched in time (a poll error meets a null name), so it is only ever asked here, a few
 * questions at a time, and never subscribed to the kernel's own news.
 */
export interface RouteTable {
  /**
   * How a packet with that mark would leave for an address; undefined = it would not.
   * @throws Error when the kernel does not answer
   */
  find(address: string, fwmark: number): Promise<Route | undefined>
  close(): void
}

const protocolRoute = 0
const answerLimitMs = 1_000
const messages = { newLink: 16, getLink: 18, newRoute: 24, getRoute: 26 } as const
/** Attributes: of routes (RTA_*), of links (IFLA_*), of what a link is (IFLA_INFO_*). */
const attributes = { destination: 1, outInterface: 4, mark: 16, linkName: 3, linkInfo: 18, infoKind: 1 } as const
const families = { 4: 2, 6: 10 } as const
const routeHead = 12
const linkHead = 16

/** Kinds of links that wrap packets into other packets. */
const tunnelKinds = new Set(
  'wireguard amneziawg tun vxlan geneve ipip sit gre gretap ip6gre ip6gretap ip6tnl vti vti6 erspan bareudp l2tp xfrm'.split(
    ' ',
  ),
)

/**
 * Opens a way to the kernel's routes.
 * @throws Error where the native part is missing or the kernel refuses
 */
export async function openRouteTable(): Promise<RouteTable> {
  const { createNetlink } = await import('netlink/dist/netlink.js')
  const socket = createNetlink(protocolRoute)
  // Nobody to tell: whoever waits for an answer gets none in time.
  socket.on('error', () => undefined)
  return {
    async find(text, fwmark) {
      const address = parseAddress(text)
      if (address === undefined) return undefined
      const index = await findInterface(socket, address, fwmark)
      return index === undefined ? undefined : describeLink(socket, index)
    },
    close: () => socket.close(),
  }
}

async function findInterface(socket: NetlinkSocket, address: Address, fwmark: number): Promise<number | undefined> {
  const bytes = toBytes(address)
  const head = Buffer.alloc(routeHead)
  head[0] = families[address.family]
  head[1] = bytes.length * 8
  const mark = Buffer.alloc(4)
  mark.writeUInt32LE(fwmark)
  const asked = [head, encode(attributes.destination, bytes), ...(fwmark === 0 ? [] : [encode(attributes.mark, mark)])]
  const answer = await ask(socket, { type: messages.getRoute, reply: messages.newRoute }, Buffer.concat(asked))
  const index = answer && decode(answer.subarray(routeHead)).get(attributes.outInterface)
  return index?.length === 4 ? index.readUInt32LE() : undefined
}

async function describeLink(socket: NetlinkSocket, index: number): Promise<Route | undefined> {
  const head = Buffer.alloc(linkHead)
  head.writeInt32LE(index, 4)
  const answer = await ask(socket, { type: messages.getLink, reply: messages.newLink }, head)
  if (answer === undefined) return undefined
  const known = decode(answer.subarray(linkHead))
  const info = decode(known.get(attributes.linkInfo) ?? Buffer.alloc(0))
  const name = toText(known.get(attributes.linkName))
  return { device: name, tunnel: tunnelKinds.has(toText(info.get(attributes.infoKind))) }
}

/** undefined = the kernel says no, for instance that there is no route. */
async function ask(
  socket: NetlinkSocket,
  { type, reply }: { readonly type: number; readonly reply: number },
  data: Buffer,
): Promise<Buffer | undefined> {
  const [[message]] = await socket.request(type, data, { timeout: answerLimitMs, checkError: false })
  return message?.type === reply ? message.data : undefined
}

const attributeHead = 4

function encode(type: number, value: Buffer): Buffer {
  const padded = Buffer.alloc(attributeHead + align(value.length))
  padded.writeUInt16LE(attributeHead + value.length, 0)
  padded.writeUInt16LE(type, 2)
  value.copy(padded, attributeHead)
  return padded
}

function decode(data: Buffer): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>()
  for (let at = 0; at + attributeHead <= data.length; ) {
    const length = data.readUInt16LE(at)
    if (length < attributeHead || at + length > data.length) break
    // The two highest bits say how the value is laid out.
    found.set(data.readUInt16LE(at + 2) & 0x3fff, data.subarray(at + attributeHead, at + length))
    at += align(length)
  }
  return found
}

function align(length: number): number {
  return (length + 3) & ~3
}

function toBytes({ family, bits }: Address): Buffer {
  const digits = bits.toString(16).padStart(family === 4 ? 8 : 32, '0')
  return Buffer.from(digits, 'hex')
}

/** A text of C, up to its null byte. */
function toText(value: Buffer | undefined): string {
  return value?.toString('utf8', 0, value.length - 1) ?? ''
}
