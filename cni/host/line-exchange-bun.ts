import type { BunEngine, BunSocket } from './bun.ts'
import { LineAnswer, type LineExchange } from './line-answer.ts'

export function exchangeWithBun(bun: BunEngine, wish: LineExchange): Promise<string | undefined> {
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
