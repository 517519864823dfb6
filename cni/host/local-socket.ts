import type { Socket } from 'node:net'
import { type BunEngine, type BunSocket, byEngine } from './engine.ts'

/** A UNIX socket in the file system that somebody listens on for no other end than to be seen alive. */
export interface LocalSocket {
  /** Lets everybody know who is connected. */
  close(): void
}

/**
 * How a look at a listener ended. `unreachable`: it is gone, or its queue is full; Bun gives both the same error.
 * `ended`: it was there and has gone. `there`: it still was when time was up.
 */
export type Watch = 'unreachable' | 'ended' | 'there'

/** Listens at a path. Connections are kept open until the end. */
export const listenAt: (path: string) => Promise<LocalSocket> = byEngine({
  bun: bun => path => listenWithBun(bun, path),
  node: () => listenWithNode,
})

/**
 * Connects to whoever listens at a path and waits for their end.
 * @param limitMs when to give up; 0 = only ask whether there is somebody
 */
export const watchAt: (path: string, limitMs: number) => Promise<Watch> = byEngine({
  bun: bun => (path, limitMs) => watchWithBun(bun, path, limitMs),
  node: () => watchWithNode,
})

async function listenWithBun(bun: BunEngine, path: string): Promise<LocalSocket> {
  const listener = bun.listen({ unix: path, socket: { data: () => undefined, error: () => undefined } })
  return { close: () => listener.stop(true) }
}

function watchWithBun(bun: BunEngine, path: string, limitMs: number): Promise<Watch> {
  return new Promise(resolve => {
    let opened: BunSocket | undefined
    const timer = limitMs === 0 ? undefined : setTimeout(() => done('there'), limitMs)
    const done = (outcome: Watch) => {
      clearTimeout(timer)
      resolve(outcome)
      // Bun calls `close` from within.
      opened?.end()
    }
    const open = (socket: BunSocket) => {
      opened = socket
      if (limitMs === 0) done('there')
    }
    const close = () => done('ended')
    bun
      .connect({ unix: path, socket: { open, close, data: () => undefined, error: close } })
      .catch(() => done('unreachable'))
  })
}

function listenWithNode(path: string): Promise<LocalSocket> {
  return new Promise((resolve, reject) => {
    const connected = new Set<Socket>()
    const server = process.getBuiltinModule('node:net').createServer(socket => {
      connected.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => connected.delete(socket))
    })
    const close = () => {
      server.close()
      for (const socket of connected) socket.destroy()
    }
    server.once('error', reject)
    server.listen(path, () => resolve({ close }))
  })
}

function watchWithNode(path: string, limitMs: number): Promise<Watch> {
  return new Promise(resolve => {
    let reached = false
    const socket = process.getBuiltinModule('node:net').connect(path)
    const timer = limitMs === 0 ? undefined : setTimeout(() => done('there'), limitMs)
    const done = (outcome: Watch) => {
      clearTimeout(timer)
      resolve(outcome)
      socket.destroy()
    }
    socket.on('connect', () => {
      reached = true
      if (limitMs === 0) done('there')
    })
    socket.on('error', () => done(reached ? 'ended' : 'unreachable'))
    socket.on('close', () => done(reached ? 'ended' : 'unreachable'))
    socket.resume()
  })
}
