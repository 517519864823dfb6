import { randomInt } from 'node:crypto'
import { pause, systemClock } from '../../runtime/clock.ts'
import { CheckFault } from '../check.ts'
import type { DnsTransport, NameServer } from '../ports.ts'
import { type DnsQuestion, type DnsReply, encodeQuery, readReply } from './message.ts'

/** One question to one server. */
export interface Lookup {
  readonly server: NameServer
  readonly question: DnsQuestion
  readonly transport: DnsTransport
  /** By UDP, and by TCP what is too long for it; or by TCP alone. */
  readonly way: keyof DnsTransport
  /** Fires at the question's limit. */
  readonly signal: AbortSignal
  /** Milliseconds between the first try and the second; the third comes after twice that again. */
  readonly retryMs: number
}

/** Worth another try: the next one may do better. Everything else is the server's word. */
const passing: ReadonlySet<string> = new Set(['NoAnswer', 'ServFail', 'BadReply'])

/**
 * Asks one server, again if a packet seems lost or the server stumbles. Earlier tries stay open, so that
 * a slow answer to the first still counts, and each has its own id and source port.
 * @returns the addresses, at least one
 * @throws CheckFault with the reason that tells most
 */
export async function lookUp(lookup: Lookup): Promise<readonly string[]> {
  const settled = new AbortController()
  const signal = AbortSignal.any([lookup.signal, settled.signal])
  const startsMs = [0, lookup.retryMs, 3 * lookup.retryMs]
  try {
    const reply = await Promise.any(startsMs.map(startMs => tryOnce({ ...lookup, signal }, startMs)))
    if (reply.kind === 'addresses') return reply.addresses
    throw reply.fault
  } catch (error) {
    throw error instanceof AggregateError ? mostTelling(error.errors) : error
  } finally {
    settled.abort()
  }
}

type Conclusion = Exclude<DnsReply, { kind: 'truncated' }>

/** Returns what settles the question; throws a fault that another try may heal. */
async function tryOnce(lookup: Lookup, startMs: number): Promise<Conclusion> {
  if (startMs > 0) await pause(systemClock, startMs, lookup.signal)
  const reply = lookup.way === 'udp' ? await ask(lookup, 'udp') : undefined
  const conclusion = reply === undefined || reply.kind === 'truncated' ? await askByTcp(lookup, reply) : reply
  if (conclusion.kind === 'fault' && passing.has(conclusion.fault.code)) throw conclusion.fault
  return conclusion
}

/** @param before the reply by UDP that was cut short; undefined = TCP is the first way */
async function askByTcp(lookup: Lookup, before: DnsReply | undefined): Promise<Conclusion> {
  const reply = await ask(lookup, 'tcp').catch(error => {
    if (before === undefined) throw error
    return error
  })
  if (reply instanceof Error) return cut(`the reply was cut short and TCP gave none: ${reply.message}`, reply)
  return reply.kind === 'truncated' ? cut('the reply was cut short by TCP as well') : reply
}

function cut(message: string, cause?: unknown): Conclusion {
  return { kind: 'fault', fault: new CheckFault('Truncated', message, cause) }
}

async function ask(lookup: Lookup, way: keyof DnsTransport): Promise<DnsReply> {
  const id = randomInt(0x1_0000)
  const query = encodeQuery(id, lookup.question)
  let strange = false
  const accept = (reply: Buffer) => {
    const read = readReply(reply, id, lookup.question)
    strange ||= read === undefined
    return read
  }
  return lookup.transport[way](lookup.server, query, accept, lookup.signal).catch(error => {
    // Passed over while another may still come, as anybody can send one; when none comes, this is what the server said.
    throw strange ? new CheckFault('BadReply', 'only replies with another id or to another question', error) : error
  })
}

/** A server that said something tells more than silence, and silence more than a try that never began. */
function mostTelling(errors: readonly unknown[]): CheckFault {
  const faults = errors.filter(error => error instanceof CheckFault)
  const spoken = faults.find(fault => fault.code !== 'NoAnswer')
  return spoken ?? faults[0] ?? new CheckFault('NoAnswer', 'no answer in time')
}
