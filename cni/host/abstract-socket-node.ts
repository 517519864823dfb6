import type { Socket } from 'node:net'
import { type AbstractSockets, type BoundSocket, CONNECT_MS, type Watch } from './abstract-socket.ts'

export const nodeSockets: AbstractSockets = { bind, watch }

function bind(name: string): Promise<BoundSocket | undefined> {
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
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    )
    server.listen(`\0${name}`, () => resolve({ close }))
  })
}

function watch(name: string, limitMs: number): Promise<Watch> {
  return new Promise(resolve => {
    let reached = false
    const socket = process.getBuiltinModule('node:net').connect(`\0${name}`)
    const timer = setTimeout(() => done('held'), Math.max(limitMs, CONNECT_MS))
    const done = (outcome: Watch) => {
      clearTimeout(timer)
      resolve(outcome)
      socket.destroy()
    }
    socket.on('connect', () => {
      reached = true
      if (limitMs === 0) done('held')
    })
    socket.on('error', () => done(reached ? 'ended' : 'nobody'))
    socket.on('close', () => done(reached ? 'ended' : 'nobody'))
    socket.resume()
  })
}
