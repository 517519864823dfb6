import type { Server, Socket } from 'node:net'

/** How many connections a server has at most. */
export interface Shares {
  readonly most: number
  /** Of one address. */
  readonly mostOfOne: number
}

/**
 * Keeps an address from taking every connection. A new one is always let in: where its address has its share the oldest
 * of that address goes, where the server is full the oldest of the address that has most. So nobody waits behind
 * connections that do nothing, while one that asks and reads is done long before it is the oldest.
 */
export function shareConnections(server: Server, { most, mostOfOne }: Shares): void {
  const held = new Map<string, Set<Socket>>()
  const forget = (address: string, socket: Socket) => {
    const own = held.get(address)
    own?.delete(socket)
    if (own?.size === 0) held.delete(address)
  }
  const dropOldest = (address: string) => {
    const [oldest] = held.get(address) ?? []
    if (oldest === undefined) return
    forget(address, oldest)
    oldest.destroy()
  }
  server.on('connection', socket => {
    const address = socket.remoteAddress ?? ''
    const own = held.get(address) ?? new Set()
    held.set(address, own.add(socket))
    socket.once('close', () => forget(address, socket))
    if (own.size > mostOfOne) dropOldest(address)
    else if (sizeOf(held) > most) dropOldest(greediest(held))
  })
}

type Held = ReadonlyMap<string, ReadonlySet<Socket>>

function sizeOf(held: Held): number {
  return [...held.values()].reduce((sum, { size }) => sum + size, 0)
}

function greediest(held: Held): string {
  const first = [...held].reduce((one, other) => (other[1].size > one[1].size ? other : one))
  return first[0]
}
