/** Random bytes as hex digits, from the engine's own generator: loading node:crypto costs a millisecond. */
export function randomHex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex')
}
