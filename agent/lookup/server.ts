import { createServer, type Server, type Socket } from 'node:net'
import { MAX_QUESTION_BYTES } from '../../cni/networks/lookup-protocol.ts'

/** A server of one line in, one line out. */
export interface LineServer {
  /** Ends at once, open connections too. */
  close(): Promise<void>
}

export interface LineServerOptions {
  readonly path: string
  /** Finds the answer, newline included. Must not throw. */
  readonly answer: (line: string) => Promise<string>
  /** A connection was one too many, asked too much or was too slow. */
  readonly onRefused: () => void
  /** It can take no more connections. */
  readonly onBroken: (error: Error) => void
  readonly limits?: ServerLimits
}

export interface ServerLimits {
  readonly mostConnections: number
  /** Of one connection, all in all. */
  readonly longestMs: number
}

/** More than a node starts pods at once; kactus waits for an answer for a second at most. */
const usualLimits: ServerLimits = { mostConnections: 256, longestMs: 2_000 }

/**
 * Starts to listen.
 * @throws the system's error where the path cannot be had
 */
export async function startLineServer(options: LineServerOptions): Promise<LineServer> {
  const { path, onRefused, onBroken, limits = usualLimits } = options
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    const timer = setTimeout(() => refuse(socket, options), limits.longestMs)
    socket.on('close', () => clearTimeout(timer))
    serve(socket, options)
  })
  server.maxConnections = limits.mostConnections
  server.on('drop', onRefused)
  await listen(server, path)
  server.on('error', onBroken)
  return {
    close: () =>
      new Promise(resolve => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function serve(socket: Socket, options: LineServerOptions): void {
  let received = ''
  // Whoever hangs up has lost interest: that is no fault of ours.
  socket.on('error', () => undefined)
  // A letter for each byte, so that they can be counted.
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    received += chunk
    const end = received.indexOf('\n')
    if ((end < 0 ? received.length : end) > MAX_QUESTION_BYTES) refuse(socket, options)
    else if (end >= 0) {
      // Nothing more is read: one question each.
      socket.pause()
      options.answer(Buffer.from(received.slice(0, end), 'latin1').toString()).then(
        text => socket.end(text),
        () => refuse(socket, options),
      )
    }
  })
}

function refuse(socket: Socket, { onRefused }: LineServerOptions): void {
  if (socket.destroyed) return
  onRefused()
  socket.destroy()
}
