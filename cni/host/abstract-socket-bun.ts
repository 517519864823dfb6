import { type AbstractSockets, type BoundSocket, CONNECT_MS, type Watch } from './abstract-socket.ts'
import type { BunEngine, BunSocket } from './bun.ts'

export function bunSockets(bun: BunEngine): AbstractSockets {
  return { bind: name => bind(bun, name), watch: (name, limitMs) => watch(bun, name, limitMs) }
}

async function bind(bun: BunEngine, name: string): Promise<BoundSocket | undefined> {
  try {
    const listener = bun.listen({ unix: `\0${name}`, socket: { data: () => undefined, error: () => undefined } })
    return { close: () => listener.stop(true) }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined
    throw error
  }
}

function watch(bun: BunEngine, name: string, limitMs: number): Promise<Watch> {
  return new Promise(resolve => {
    let opened: BunSocket | undefined
    const timer = setTimeout(() => done('held'), Math.max(limitMs, CONNECT_MS))
    const done = (outcome: Watch) => {
      clearTimeout(timer)
      resolve(outcome)
      // Bun calls `close` from within.
      opened?.end()
    }
    const open = (socket: BunSocket) => {
      opened = socket
      if (limitMs === 0) done('held')
    }
    const close = () => done('ended')
    bun
      .connect({ unix: `\0${name}`, socket: { open, close, data: () => undefined, error: close } })
      .catch(() => done('nobody'))
  })
}
