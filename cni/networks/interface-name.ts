/** The stable name of a network's interface in every pod: `net` and the first 12 hex digits of the name's md5. */
export function interfaceName(network: string): string {
  // Not imported: a pod without further networks need not wait for the module.
  const { createHash } = process.getBuiltinModule('node:crypto')
  return `net${createHash('md5').update(network).digest('hex').slice(0, 12)}`
}
