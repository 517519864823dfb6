import { LineAnswer, type LineExchange } from './line-answer.ts'

export function exchangeWithNode(wish: LineExchange): Promise<string | undefined> {
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
