import { type BunEngine, type BunSocket, byEngine } from './engine.ts'

/** One line out, one line back, over a UNIX socket. */
export interface LineExchange {
  readonly socket: string
  /** With its newline. */
  readonly line: string
  readonly maxBytes: number
  /** Limit until the first byte of the answer. */
  readonly firstByteMs: number
  /** Limit of all. */
  readonly totalMs: number
}

/** Asks; undefined = nobody is there, or no whole answer came in time. */
export const exchangeLine: (wish: LineExchange) => Promise<string | undefined> = byEngine({
  bun: bun => wish => exchangeWithBun(bun, wish),
  node: () => exchangeWithNode,
})

function exchangeWithBun(bun: BunEngine, wish: LineExchange): Promise<string | undefined> {
  return new Promise(resolve => {
    let opened: BunSocket | undefined
    const answer = new LineAnswer(wish, text => {
      resolve(text)
      // Bun calls `close` from within.
      opened?.end()
    })
    const open = (socket: BunSocket) => {
      opened = socket
      socket.write(wish.line)
    }
    const data = (_socket: BunSocket, chunk: Uint8Array) => answer.take(chunk)
    const none = () => answer.end(undefined)
    bun.connect({ unix: wish.socket, socket: { open, data, close: none, error: none } }).catch(none)
  })
}

function exchangeWithNode(wish: LineExchange): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = process.getBuiltinModule('node:net').connect(wish.socket)
    const answer = new LineAnswer(wish, text => {
      resolve(text)
      socket.destroy()
    })
    socket.on('connect', () => socket.write(wish.line))
    socket.on('data', (chunk: Buffer) => answer.take(chunk))
    socket.on('error', () => answer.end(undefined))
    socket.on('close', () => answer.end(undefined))
  })
}

/** Gathers an answer within its limits. */
class LineAnswer {
  readonly #wish: LineExchange
  readonly #chunks: Uint8Array[] = []
  readonly #timers: NodeJS.Timeout[]
  readonly #done: (text: string | undefined) => void
  #total = 0

  /** @param done told once or more often: the answer, undefined = there is none */
  constructor(wish: LineExchange, done: (text: string | undefined) => void) {
    this.#wish = wish
    this.#done = done
    this.#timers = [wish.firstByteMs, wish.totalMs].map(ms => setTimeout(() => this.end(undefined), ms))
  }

  take(chunk: Uint8Array): void {
    clearTimeout(this.#timers[0])
    this.#total += chunk.length
    // A copy: the engine may use its buffer again.
    this.#chunks.push(Buffer.from(chunk))
    if (this.#total > this.#wish.maxBytes) this.end(undefined)
    else if (chunk.includes(NEWLINE)) this.end(Buffer.concat(this.#chunks).toString())
  }

  /** Without its newline an answer is not whole, and none. */
  end(text: string | undefined): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#done(text)
  }
}

const NEWLINE = 0x0a
