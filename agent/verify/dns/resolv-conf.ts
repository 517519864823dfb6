import { isIP } from 'node:net'

/** What a resolver reads from resolv.conf, as far as a lookup depends on it. */
export interface ResolvConf {
  /** In order; the C library asks no more than three. */
  readonly servers: readonly string[]
  readonly search: readonly string[]
  /** A name with at least so many dots is tried as it is before the search path. */
  readonly ndots: number
  /** Whether it asks by TCP alone (`use-vc`). */
  readonly byTcp: boolean
}

const mostServers = 3
const mostNdots = 15
/** The C library asks this machine where no name server is listed. */
const defaultServer = '127.0.0.1'

/**
 * Reads the text of resolv.conf as the GNU C library does: a keyword begins its line and a blank follows it; what it does
 * not know it ignores; of name servers the first three lines count, one that stands there twice too; the last search
 * list wins.
 */
export function parseResolvConf(text: string): ResolvConf {
  const lines = text.split('\n').flatMap(line => {
    const [, keyword, rest = ''] = /^(nameserver|search|domain|options)[ \t](.*)$/s.exec(line) ?? []
    return keyword === undefined ? [] : [{ keyword, rest }]
  })
  const restsOf = (keyword: string) => lines.flatMap(line => (line.keyword === keyword ? [line.rest] : []))
  const servers = restsOf('nameserver').flatMap(rest => readAddress(wordsOf(rest)[0] ?? ''))
  const known = [...new Set(servers.slice(0, mostServers))]
  const paths = lines.filter(({ keyword }) => keyword === 'search' || keyword === 'domain')
  const path = paths.findLast(({ rest }) => wordsOf(rest).length > 0)
  const domains = wordsOf(path?.rest ?? '').slice(0, path?.keyword === 'domain' ? 1 : undefined)
  const options = restsOf('options')
  return {
    servers: known.length === 0 ? [defaultServer] : known,
    search: domains.map(trimDots).filter(domain => domain !== ''),
    ndots: options.flatMap(readNdots).at(-1) ?? 1,
    byTcp: options.some(rest => /(^|[ \t])use-vc/.test(rest)),
  }
}

/**
 * Full names to ask for, in order. A name that ends in a dot is complete and never searched.
 * Names that no DNS message can carry are left out.
 */
export function candidateNames(name: string, conf: Pick<ResolvConf, 'search' | 'ndots'>): readonly string[] {
  const bare = trimDots(name)
  const searched = conf.search.map(domain => `${bare}.${domain}`)
  const dots = bare.split('.').length - 1
  const ordered = dots >= conf.ndots ? [bare, ...searched] : [...searched, bare]
  const names = name.endsWith('.') ? [bare] : ordered
  return [...new Set(names)].filter(fitsDns)
}

function wordsOf(rest: string): readonly string[] {
  return rest.split(/[ \t]+/).filter(word => word !== '')
}

/** A zone (`fe80::1%eth0`) is part of an address here. */
function readAddress(text: string): readonly string[] {
  const known = readIPv4(text) ?? text
  return isIP(known) === 0 ? [] : [known]
}

/** Addresses as inet_aton(3) takes them: one to four numbers, decimal, octal or hexadecimal, the last one for all bytes left. */
function readIPv4(text: string): string | undefined {
  const parts = text.split('.')
  if (parts.length > 4 || !parts.every(part => /^(0x[\da-f]+|0[0-7]*|[1-9]\d*)$/i.test(part))) return undefined
  const numbers = parts.map(part => Number(part.replace(/^0(?=\d)/, '0o')))
  const last = numbers.pop() ?? 0
  if (numbers.some(number => number > 255) || last >= 256 ** (4 - numbers.length)) return undefined
  const high = numbers.reduce((sum, number, index) => sum + number * 256 ** (3 - index), 0)
  return [24, 16, 8, 0].map(bits => ((high + last) >>> bits) & 255).join('.')
}

function trimDots(name: string): string {
  return name.replace(/^\.+|\.+$/g, '')
}

/** As atoi(3) reads them: what is no number is 0, and blanks before one are passed over. */
function readNdots(rest: string): readonly number[] {
  return [...rest.matchAll(/(?:^|[ \t])ndots:(?=\s*([+-]?\d*))/g)].map(([, digits]) => {
    // Four bits hold it, so -1 is the most there is.
    return Math.min(Number.parseInt(digits ?? '', 10) || 0, mostNdots) & mostNdots
  })
}

function fitsDns(name: string): boolean {
  const labels = name.split('.')
  return Buffer.byteLength(name) <= 253 && labels.every(label => label !== '' && Buffer.byteLength(label) <= 63)
}
