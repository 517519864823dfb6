/** A question to another agent. The answer is the same bytes with the other kind, so nobody gets more than he sent. */
export interface ProbeMessage {
  readonly kind: 'ask' | 'answer'
  /** Ties an answer to its question: random, so that nobody answers what he has not read. */
  readonly nonce: string
}

const magic = Buffer.from('nopal1')
const kinds = { ask: 0x3f, answer: 0x21 } as const
const nonceBytes = 16
const headBytes = magic.length + 1 + nonceBytes

/** The shortest question there is; also what a small one is filled up to. */
export const leastBytes = 64

/** A question of exactly so many bytes. */
export function encodeAsk(nonce: string, bytes: number): Buffer {
  const message = Buffer.alloc(Math.max(bytes, leastBytes))
  magic.copy(message)
  message[magic.length] = kinds.ask
  Buffer.from(nonce, 'hex').copy(message, magic.length + 1, 0, nonceBytes)
  return message
}

/** Reads a datagram; undefined = none of ours. */
export function decodeProbe(datagram: Buffer): ProbeMessage | undefined {
  if (datagram.length < leastBytes || !datagram.subarray(0, magic.length).equals(magic)) return undefined
  const nonce = datagram.toString('hex', magic.length + 1, headBytes)
  if (datagram[magic.length] === kinds.ask) return { kind: 'ask', nonce }
  return datagram[magic.length] === kinds.answer ? { kind: 'answer', nonce } : undefined
}

/** The answer to a question, of the same size. */
export function toAnswer(ask: Buffer): Buffer {
  const answer = Buffer.from(ask)
  answer[magic.length] = kinds.answer
  return answer
}
