import { createHash } from 'node:crypto'

/** The stable name of a network's interface in every pod: `net` and the first 12 hex digits of the name's md5. */
export function interfaceName(network: string): string {
  return `net${createHash('md5').update(network).digest('hex').slice(0, 12)}`
}
