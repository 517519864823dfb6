import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { pause, systemClock } from '../../runtime/clock.ts'
import { CheckFault } from '../check.ts'

/** Something that is asked by UDP. */
export interface Question {
  readonly address: string
  /** What it means if nobody answers. */
  readonly silence: 'PeersUnreachable' | 'PodsUnreachable'
  /** Ends the waiting. */
  readonly signal: AbortSignal
}

/** How a question goes on. */
export interface Asking {
  /** Sends, and again as if the datagrams were lost, until there is an end. */
  repeat(send: () => void): void
  answered(): void
  failed(error: CheckFault): void
}

const sendsMs = [0, 100, 300, 600, 1000, 1500, 2000]

/**
 * Asks over a socket of its own until there is an answer.
 * @param ask sets the asking going
 * @throws CheckFault when the signal fires first, or the one that `ask` told
 */
export async function askByUdp(
  { address, silence, signal }: Question,
  ask: (socket: Socket, asking: Asking) => void,
): Promise<void> {
  signal.throwIfAborted()
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const done = new AbortController()
  const silent = () => reject(new CheckFault(silence, 'no answer in time', signal.reason))
  signal.addEventListener('abort', silent, { once: true })
  ask(socket, { repeat: send => repeat(send, done.signal), answered: resolve, failed: reject })
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', silent)
    done.abort()
    socket.close()
  }
}

function repeat(send: () => void, done: AbortSignal): void {
  for (const atMs of sendsMs) {
    void pause(systemClock, atMs, done).then(() => {
      if (!done.aborted) send()
    })
  }
}
