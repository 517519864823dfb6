import { isIP } from 'node:net'
import { decode, encode, type Packet, RECURSION_DESIRED } from 'dns-packet'
import type { Reason } from '../../verdict/reasons.ts'
import { CheckFault } from '../check.ts'

/** One question for one name server. */
export interface DnsQuestion {
  readonly name: string
  readonly type: 'A' | 'AAAA' | 'PTR'
}

/** What a reply that belongs to our question says. */
export type DnsReply =
  /** Names, where a name was asked for. */
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'fault'; readonly fault: CheckFault }

const headerBytes = 12
const responseBit = 0x8000
const truncatedBit = 0x0200
const longestChain = 16

/** A query as the C library sends it: recursion wanted, no extensions, so that the answer is the one pods would get. */
export function encodeQuery(id: number, question: DnsQuestion): Buffer {
  return encode({ type: 'query', id, flags: RECURSION_DESIRED, questions: [{ ...question, class: 'IN' }] })
}

/** Reads a reply; undefined where it answers another id or another question, or is no reply at all. */
export function readReply(bytes: Buffer, id: number, question: DnsQuestion): DnsReply | undefined {
  if (bytes.length < headerBytes || bytes.readUInt16BE(0) !== id) return undefined
  const flags = bytes.readUInt16BE(2)
  if ((flags & responseBit) === 0) return undefined
  const truncated = (flags & truncatedBit) !== 0
  const packet = decodePacket(bytes)
  // A truncated message may end in the middle of a record; the flag is enough to ask again by TCP.
  if (packet === undefined) return truncated ? { kind: 'truncated' } : badReply('a reply that cannot be decoded')
  if (!answersQuestion(packet, question, flags & 0xf)) return undefined
  return truncated ? { kind: 'truncated' } : judge(packet, question, flags & 0xf)
}

function decodePacket(bytes: Buffer): Packet | undefined {
  try {
    return decode(bytes)
  } catch {
    return undefined
  }
}

/** Some servers leave the question out when they refuse; then the id has to do. */
function answersQuestion(packet: Packet, question: DnsQuestion, rcode: number): boolean {
  const questions = packet.questions ?? []
  if (questions.length === 0) return rcode !== 0
  const [asked] = questions
  return (
    questions.length === 1 && asked !== undefined && asked.type === question.type && sameName(asked.name, question.name)
  )
}

function judge(packet: Packet, question: DnsQuestion, rcode: number): DnsReply {
  if (rcode === 3) return fault('NXDomain', 'no such name')
  if (rcode === 2) return fault('ServFail', 'the server failed to look it up')
  if (rcode === 5) return fault('Refused', 'the server refuses to answer')
  if (rcode !== 0) return badReply(`response code ${rcode}`)
  return followChain(packet, question)
}

/** Addresses at the end of the chain of aliases that starts at the question, all within this one reply. */
function followChain(packet: Packet, question: DnsQuestion): DnsReply {
  const answers = packet.answers ?? []
  const seen = new Set<string>()
  let name = question.name.toLowerCase()
  while (!seen.has(name) && seen.size < longestChain) {
    seen.add(name)
    const here = answers.filter(each => sameName(each.name, name))
    const addresses = here.flatMap(each => (each.type === question.type ? [String(each.data)] : []))
    if (question.type === 'PTR' && addresses.length > 0) return { kind: 'addresses', addresses: addresses.map(trimDot) }
    // The decoder reads past the end of a message without a word and makes `192.undefined` of it.
    if (!addresses.every(address => isIP(address) !== 0)) return badReply('an address that is none')
    if (addresses.length > 0) return { kind: 'addresses', addresses }
    const [alias] = here.flatMap(each => (each.type === 'CNAME' ? [each.data] : []))
    if (alias === undefined) return fault('NoData', `the name has no ${question.type} record`)
    name = trimDot(alias).toLowerCase()
  }
  return fault('CNAMELoop', `its aliases lead in a circle at ${name}`)
}

function sameName(one: string, other: string): boolean {
  return trimDot(one).toLowerCase() === trimDot(other).toLowerCase()
}

function trimDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name
}

function badReply(message: string): DnsReply {
  return fault('BadReply', message)
}

function fault(reason: Reason, message: string): DnsReply {
  return { kind: 'fault', fault: new CheckFault(reason, message) }
}
