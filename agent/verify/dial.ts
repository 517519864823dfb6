import { lookup } from 'node:dns/promises'
import { connect } from 'node:net'
import type { Reason } from '../verdict/reasons.ts'
import { CheckFault } from './check.ts'

/** Errors of connect(2) by what they mean to a user. */
const reasons: Readonly<Record<string, Reason>> = { ECONNREFUSED: 'Refused', ETIMEDOUT: 'TimedOut' }

/**
 * Connects and hangs up at once.
 * @throws CheckFault: Refused, Unreachable, or TimedOut when the signal fires first
 */
export async function dialTcp(address: string, port: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const socket = connect({ host: address, port })
  const onAbort = () => reject(new CheckFault('TimedOut', 'no answer in time', signal.reason))
  signal.addEventListener('abort', onAbort, { once: true })
  socket.on('connect', () => resolve())
  socket.on('error', (error: NodeJS.ErrnoException) => reject(toDialFault(error)))
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
  }
}

/** Addresses of a host name from the system's resolver, hosts file included. */
export async function resolveHost(host: string): Promise<readonly string[]> {
  try {
    const found = await lookup(host, { all: true, verbatim: true })
    return found.map(each => each.address)
  } catch (error) {
    throw new CheckFault('Unreachable', `the name ${host} does not resolve`, error)
  }
}

function toDialFault(error: NodeJS.ErrnoException): CheckFault {
  const code = error.code ?? 'error'
  return new CheckFault(reasons[code] ?? 'Unreachable', `connect: ${code}`, error)
}
