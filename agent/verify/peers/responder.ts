import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { errorCode } from '../../../cni/host/system-error.ts'
import type { Endpoint } from '../../config/settings.ts'
import type { Listener } from '../../runtime/listen-duty.ts'
import { decodeProbe, toAnswer } from './message.ts'

/**
 * Answers other agents' datagrams, on the port of the status page.
 * @throws the error of bind(2), such as EADDRINUSE
 */
export async function startPeerResponder({ host, port }: Endpoint): Promise<Listener> {
  const socket = await bind(host, port)
  socket.on('message', (datagram, from) => {
    // An answer is never answered: two agents would talk for ever.
    if (decodeProbe(datagram)?.kind === 'ask') socket.send(toAnswer(datagram), from.port, from.address, () => undefined)
  })
  // A client that is gone makes errors of answers; there is nobody to tell.
  socket.on('error', () => undefined)
  return {
    port: socket.address().port,
    async close() {
      socket.close()
      await once(socket, 'close')
    },
  }
}

/** Every address of the machine where no host is told; a kernel without IPv6 has only the others. */
async function bind(host: string, port: number): Promise<Socket> {
  if (host !== '') return bindAs(host.includes(':') ? 'udp6' : 'udp4', { address: host, port })
  try {
    return await bindAs('udp6', { address: '::', port })
  } catch (error) {
    if (errorCode(error) === 'EADDRINUSE') throw error
    return bindAs('udp4', { address: '0.0.0.0', port })
  }
}

async function bindAs(type: 'udp4' | 'udp6', where: { address: string; port: number }): Promise<Socket> {
  const socket = createSocket(type)
  try {
    const bound = once(socket, 'listening')
    socket.bind(where)
    await bound
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}
