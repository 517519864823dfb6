import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { CheckFault } from '../check.ts'
import type { DnsExchange, DnsTransport } from '../ports.ts'

/** DNS over the sockets of this process. */
export const socketDns: DnsTransport = { udp: exchangeByUdp, tcp: exchangeByTcp }

const lengthBytes = 2

/** Every exchange has its own socket: the kernel picks a random source port and drops what comes from elsewhere. */
async function exchangeByUdp<T>(...[server, message, accept, signal]: Parameters<DnsExchange>): Promise<T> {
  signal.throwIfAborted()
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  socket.on('error', error => reject(unreachable(error)))
  socket.on('message', reply => {
    const accepted = accept(reply)
    if (accepted !== undefined) resolve(accepted as T)
  })
  // Not as a callback: that would be called for a failure too, and the failure would be no 'error' event.
  socket.on('connect', () => socket.send(message))
  socket.connect(server.port, server.address)
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.close()
  }
}

async function exchangeByTcp<T>(...[server, message, accept, signal]: Parameters<DnsExchange>): Promise<T> {
  signal.throwIfAborted()
  const socket = connect({ host: server.address, port: server.port })
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  let received: Buffer = Buffer.alloc(0)
  socket.on('error', error => reject(unreachable(error)))
  socket.on('close', () => reject(new CheckFault('NoAnswer', 'the connection was closed')))
  socket.on('data', chunk => {
    const [messages, rest] = splitMessages(Buffer.concat([received, chunk]))
    received = rest
    for (const reply of messages) {
      const accepted = accept(reply)
      if (accepted !== undefined) resolve(accepted as T)
    }
  })
  const length = Buffer.alloc(lengthBytes)
  length.writeUInt16BE(message.length)
  // One write: some servers read the length and the message from one segment only.
  socket.write(Buffer.concat([length, message]))
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
  }
}

/** Cuts a stream into the messages that are complete and what is left over. */
export function splitMessages(stream: Buffer): [messages: Buffer[], rest: Buffer] {
  const messages: Buffer[] = []
  let rest = stream
  while (rest.length >= lengthBytes && rest.length >= lengthBytes + rest.readUInt16BE(0)) {
    const end = lengthBytes + rest.readUInt16BE(0)
    messages.push(rest.subarray(lengthBytes, end))
    rest = rest.subarray(end)
  }
  return [messages, rest]
}

function unreachable(error: NodeJS.ErrnoException): CheckFault {
  return new CheckFault('NoAnswer', `cannot be reached (${error.code ?? error.message})`, error)
}
