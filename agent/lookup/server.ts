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
}

/** More than a node starts pods at once; kactus waits for an answer for a second at most. */
export const serverLimits = { mostConnections: 256, longestMs: 2_000 } as const

/**
 * Starts to listen.
 * @throws the system's error where the path cannot be had
 */
export async function startLineServer(options: LineServerOptions): Promise<LineServer> {
  const { path, onRefused, onBroken } = options
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serve(socket, options)
  })
  server.maxConnections = serverLimits.mostConnections
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

function serve(socket: Socket, { answer, onRefused }: LineServerOptions): void {
  const refuse = () => {
    onRefused()
    socket.destroy()
  }
  const timer = setTimeout(refuse, serverLimits.longestMs)
  const question = new LineReader()
  socket.on('close', () => clearTimeout(timer))
  // Whoever hangs up has lost interest: that is no fault of ours.
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    const line = question.take(chunk)
    if (line === 'too long') refuse()
    else if (line !== undefined) {
      // Nothing more is read: one question each.
      socket.pause()
      answer(line.text).then(text => socket.end(text), refuse)
    }
  })
}

/** Gathers bytes until there is a line of them. */
class LineReader {
  readonly #chunks: Buffer[] = []
  #size = 0

  /** @returns undefined = there is no whole line yet */
  take(chunk: Buffer): { readonly text: string } | 'too long' | undefined {
    const end = chunk.indexOf(newline)
    this.#chunks.push(end < 0 ? chunk : chunk.subarray(0, end))
    this.#size += end < 0 ? chunk.length : end
    if (this.#size > MAX_QUESTION_BYTES) return 'too long'
    return end < 0 ? undefined : { text: Buffer.concat(this.#chunks).toString() }
  }
}

const newline = 0x0a
