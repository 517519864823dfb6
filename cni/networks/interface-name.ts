import { byEngine } from '../host/engine.ts'

/** The stable name of a network's interface in every pod: `net` and the first 12 hex digits of the name's md5. */
export function interfaceName(network: string): string {
  return `net${md5(network).slice(0, 12)}`
}

/** Loading node:crypto takes as long as a plugin's run; a pod without further networks does not pay for it at all. */
const md5: (text: string) => string = byEngine({
  bun: bun => text => new bun.CryptoHasher('md5').update(text).digest('hex'),
  node: () => text => process.getBuiltinModule('node:crypto').createHash('md5').update(text).digest('hex'),
})
