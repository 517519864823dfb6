import { CniCode, CniError } from './errors.ts'

/**
 * Reads CNI_ARGS, `KEY=VALUE;KEY=VALUE`. The form has no escapes.
 * @throws CniError 4
 */
export function parseCniArgs(text: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>()
  if (text === '') return pairs
  for (const pair of text.split(';')) {
    const [key, value, ...more] = pair.split('=')
    if (key === undefined || key === '' || value === undefined || more.length > 0) {
      const details = JSON.stringify(pair.slice(0, 80))
      throw new CniError(CniCode.InvalidEnvironment, 'CNI_ARGS has a pair without exactly one "="', { details })
    }
    pairs.set(key, value)
  }
  return pairs
}

/**
 * Prints CNI_ARGS.
 * @throws CniError 4 where a key or value would become more than itself
 */
export function printCniArgs(pairs: Iterable<readonly [string, string]>): string {
  const printed: string[] = []
  for (const [key, value] of pairs) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a NUL cannot be in a variable
    if (/[;=\u0000]/.test(key + value) || key === '') {
      const details = JSON.stringify(`${key}=${value}`.slice(0, 80))
      throw new CniError(CniCode.InvalidEnvironment, 'a value for CNI_ARGS has a ";", "=" or NUL in it', { details })
    }
    printed.push(`${key}=${value}`)
  }
  return printed.join(';')
}

/** Whether the caller said that keys nobody knows are fine. */
export function ignoresUnknown(args: ReadonlyMap<string, string>): boolean {
  return ['1', 'true', 't'].includes((args.get('IgnoreUnknown') ?? '').toLowerCase())
}
