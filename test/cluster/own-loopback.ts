import { randomInt } from 'node:crypto'

/**
 * An address of the loopback network that nobody else on this machine uses: a port of it that was free stays so, also
 * while nobody listens there.
 */
export function ownLoopback(): string {
  return `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(1, 255)}`
}
