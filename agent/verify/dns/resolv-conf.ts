import { isIP } from 'node:net'

/** What a resolver reads from resolv.conf, as far as a lookup depends on it. */
export interface ResolvConf {
  /** In order; the C library asks no more than three. */
  readonly servers: readonly string[]
  readonly search: readonly string[]
  /** A name with at least so many dots is tried as it is before the search path. */
  readonly ndots: number
}

const mostServers = 3
const mostNdots = 15
/** The C library asks this machine where no name server is listed. */
const defaultServer = '127.0.0.1'

/** Reads the text of resolv.conf as the C library does: what it does not know it ignores, the last search list wins. */
export function parseResolvConf(text: string): ResolvConf {
  const lines = text.split('\n').map(line => line.trim().split(/\s+/))
  const entries = lines.flatMap(([keyword, ...words]) => (words.length === 0 ? [] : [{ keyword, words }]))
  const servers = entries.flatMap(({ keyword, words }) => (keyword === 'nameserver' ? words.slice(0, 1) : []))
  const known = [...new Set(servers.filter(isAddress))].slice(0, mostServers)
  const search = entries.findLast(({ keyword }) => keyword === 'search' || keyword === 'domain')
  const domains = search?.keyword === 'domain' ? search.words.slice(0, 1) : (search?.words ?? [])
  const options = entries.flatMap(({ keyword, words }) => (keyword === 'options' ? words : []))
  return {
    servers: known.length === 0 ? [defaultServer] : known,
    search: domains.map(trimDots).filter(domain => domain !== ''),
    ndots: readNdots(options) ?? 1,
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

/** A zone (`fe80::1%eth0`) is part of an address here. */
function isAddress(text: string): boolean {
  return isIP(text) !== 0
}

function trimDots(name: string): string {
  return name.replace(/^\.+|\.+$/g, '')
}

function readNdots(words: readonly string[]): number | undefined {
  const found = words.map(word => /^ndots:(\d{1,4})$/.exec(word)?.[1]).findLast(each => each !== undefined)
  return found === undefined ? undefined : Math.min(Number(found), mostNdots)
}

function fitsDns(name: string): boolean {
  const labels = name.split('.')
  return Buffer.byteLength(name) <= 253 && labels.every(label => label !== '' && Buffer.byteLength(label) <= 63)
}
