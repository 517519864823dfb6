import ipaddr from 'ipaddr.js'

/** What is wrong with a value, in words that follow the setting's name. */
export class ValueFault extends Error {
  override readonly name = 'ValueFault'
}

/** A host and a port; an empty host means every address of the machine. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** A count, or a share (0 to 1), of all there are. */
export type CountOrShare = { readonly nodes: number } | { readonly share: number }

/** Turns the text of one setting into its value, or throws a ValueFault. */
export interface Parse<T> {
  (text: string): T
  /** JSON Schema of the values, for whoever writes them in YAML; absent = any text. It may be stricter than the parser. */
  readonly schema?: Readonly<Record<string, unknown>>
}

/** JSON Schema's pattern of a text without a line break or what else has no business in a line. */
export const oneLinePattern = '^[^\\p{Cc}\\p{Zl}\\p{Zp}]*$'

/** Node's timers wrap round to at once above this. */
const longestMs = 2 ** 31 - 1
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `500ms`, `2s`, `1m30s`. A bare number means seconds, as in the seeds' files (`checkTimeoutSeconds: 10`). */
export function duration(limits: { readonly leastMs: number }): Parse<number> {
  const parse = (text: string) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : sumOfUnits(text)
    if (value === undefined) throw new ValueFault('is not a duration like 500ms, 2s or 5m')
    if (value < limits.leastMs) throw new ValueFault(`is shorter than ${limits.leastMs}ms`)
    if (value > longestMs) throw new ValueFault('is longer than 24 days')
    return Math.round(value)
  }
  const pattern = '^([0-9]+(\\.[0-9]+)?|([0-9]+(\\.[0-9]+)?(ms|s|m|h))+)$'
  return Object.assign(parse, { schema: { type: ['string', 'number'], pattern, minimum: limits.leastMs / 1000 } })
}

/** The parser of a text, with the pattern that tells most of what it takes. */
function shaped<T>(pattern: string, parse: (text: string) => T): Parse<T> {
  return Object.assign(parse, { schema: { type: 'string', pattern: `^(${pattern})$` } })
}

function sumOfUnits(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)
  return [...parts].reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitMs[unit ?? ''] ?? Number.NaN), 0)
}

/** A whole number that is not below the least. */
export function wholeNumber(limits: { readonly least: number }): Parse<number> {
  const parse = (text: string) => {
    if (!/^\d{1,9}$/.test(text)) throw new ValueFault('is not a whole number')
    const value = Number(text)
    if (value < limits.least) throw new ValueFault(`is below ${limits.least}`)
    return value
  }
  const schema = { type: ['integer', 'string'], pattern: '^[0-9]{1,9}$', minimum: limits.least }
  return Object.assign(parse, { schema })
}

/** `true` or `false`, in any case. */
export const bool: Parse<boolean> = Object.assign(
  (text: string) => {
    const value = text.toLowerCase()
    if (value !== 'true' && value !== 'false') throw new ValueFault('is neither true nor false')
    return value === 'true'
  },
  { schema: { enum: [true, false, 'true', 'false'] } },
)

/** One of the words, in any case. */
export function oneOf<const T extends string>(...words: readonly T[]): Parse<T> {
  const parse = (text: string) => {
    const found = words.find(word => word.toLowerCase() === text.toLowerCase())
    if (found === undefined) throw new ValueFault(`is none of ${words.join(', ')}`)
    return found
  }
  return Object.assign(parse, { schema: { enum: words } })
}

/** Comma separated; empty text is an empty list, an empty part is a fault. */
export function list<T>(parse: Parse<T>): Parse<readonly T[]> {
  const parseAll = (text: string) => {
    if (text.trim() === '') return []
    return text.split(',').map(part => {
      if (part.trim() === '') throw new ValueFault('has an empty part')
      return parse(part.trim())
    })
  }
  const { schema = { type: 'string' } } = parse
  // As one text, a list is one line: another would be a setting of its own.
  const pattern = Array.isArray(schema.enum) ? `^(${schema.enum.join('|')}|,| )*$` : oneLinePattern
  return Object.assign(parseAll, { schema: { type: ['array', 'string'], items: schema, pattern } })
}

/** A list that names at least one thing, each once. */
export function someOf<T>(parse: Parse<T>): Parse<readonly T[]> {
  const all = list(parse)
  const parseSome = (text: string) => {
    const values = [...new Set(all(text))]
    if (values.length === 0) throw new ValueFault('is empty')
    return values
  }
  return Object.assign(parseSome, { schema: { ...all.schema, minItems: 1, minLength: 1 } })
}

/** `host:port`, `[2001:db8::1]:port`. */
export const endpoint: Parse<Endpoint> = shaped('(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):[0-9]{1,5}', text => {
  const { host, port } = listenAddress(text)
  if (host === '') throw new ValueFault('has no host')
  return { host, port }
})

/** Like an endpoint; without a host it means every address of the machine. */
export const listenAddress: Parse<Endpoint> = shaped('(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]*):[0-9]{1,5}', text => {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(text)
  if (!match) throw new ValueFault('is not host:port')
  const [, ip6, name = '', digits] = match
  const port = Number(digits)
  if (port < 1 || port > 65_535) throw new ValueFault('has a port outside 1 to 65535')
  if (ip6 !== undefined && !ipaddr.IPv6.isValid(ip6)) throw new ValueFault('has no valid IPv6 address')
  if (ip6 === undefined && name !== '' && !isHost(name)) throw new ValueFault('has no valid host')
  return { host: ip6 ?? name, port }
})

function isHost(text: string): boolean {
  return /^[\d.]+$/.test(text) ? ipaddr.IPv4.isValidFourPartDecimal(text) : isDomain(text)
}

/** Whether the text is a domain name; one dot at the end and underscores (as in SRV names) are allowed. */
function isDomain(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  return (
    name.length <= 253 && name.split('.').every(label => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label))
  )
}

/** A domain name, or an address, which the reader of the list drops with a warning. */
export const domainOrAddress: Parse<string> = shaped('[A-Za-z0-9_.:-]+', text => {
  if (ipaddr.isValid(text) || (isDomain(text) && !/^[\d.]+$/.test(text))) return text
  throw new ValueFault('is not a domain name')
})

/** One IPv4 or IPv6 address. */
export const address: Parse<string> = shaped('[0-9A-Fa-f:.]+', text => {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !ipaddr.IPv6.isValid(text)) {
    throw new ValueFault('is not an IP address')
  }
  return text
})

/** The name of a Kubernetes object that must be a DNS subdomain, such as a node. */
export const objectName: Parse<string> = shaped('[a-z0-9]([-.a-z0-9]*[a-z0-9])?', text => {
  const labels = text.split('.')
  if (text.length > 253 || !labels.every(label => /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label))) {
    throw new ValueFault('is not a valid object name')
  }
  return text
})

/** The key of a taint or label: `prefix/name`, prefix optional. */
export const qualifiedName: Parse<string> = shaped(
  '([a-z0-9]([-.a-z0-9]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?',
  text => {
    const parts = text.split('/')
    const name = parts.at(-1) ?? ''
    if (parts.length > 2 || !/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(name)) {
      throw new ValueFault('is not a valid key')
    }
    if (parts.length === 2) objectName(parts[0] ?? '')
    return text
  },
)

/** The value of a taint or label; empty is allowed. */
export const labelValue: Parse<string> = shaped('([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?', text => {
  if (!/^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/.test(text))
    throw new ValueFault('is not a valid label value')
  return text
})

/** An absolute path. */
export const path: Parse<string> = shaped('/[^\\p{Cc}\\p{Zl}\\p{Zp}]*', text => {
  if (!text.startsWith('/')) throw new ValueFault('is not an absolute path')
  if (text.includes('\0')) throw new ValueFault('has a null byte')
  return text
})

/** Nothing, or what the other parser takes. */
export function orNothing<T>(parse: Parse<T>): Parse<T | undefined> {
  const parseIfAny = (text: string) => (text === '' ? undefined : parse(text))
  const { schema = {} } = parse
  if (Array.isArray(schema.enum)) return Object.assign(parseIfAny, { schema: { enum: [...schema.enum, ''] } })
  if (typeof schema.pattern !== 'string') return parseIfAny
  return Object.assign(parseIfAny, { schema: { ...schema, pattern: `${schema.pattern}|^$` } })
}

/** An absolute path, or nothing. */
export const pathOrNothing: Parse<string> = shaped('(/[^\\p{Cc}\\p{Zl}\\p{Zp}]*)?', text =>
  text === '' ? '' : path(text),
)

/** Absolute or relative paths with `:` between them; relative to where the program was started. */
export const pathList: Parse<readonly string[]> = text => {
  if (text.includes('\0')) throw new ValueFault('has a null byte')
  return text.split(':').filter(path => path !== '')
}

/** The bare name of a file. */
export const fileName: Parse<string> = shaped('[^/\\\\\\s\\p{Cc}]{1,255}', text => {
  if (text.length > 255 || text === '.' || text === '..' || /[/\\\0\s]/.test(text)) {
    throw new ValueFault('is not a file name')
  }
  return text
})

/** A network interface's name. */
export const interfaceName: Parse<string> = shaped('[^\\s/:\\p{Cc}]{1,15}', text => {
  if (!/^[^\s/:]{1,15}$/.test(text) || text === '.' || text === '..') throw new ValueFault('is not an interface name')
  return text
})

/** A count of nodes (`3`) or a share of them (`20%`). */
export const countOrShare: Parse<CountOrShare> = Object.assign(
  (text: string) => {
    if (/^\d{1,9}$/.test(text)) return { nodes: Number(text) }
    const match = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text)
    if (!match || Number(match[1]) > 100) throw new ValueFault('is neither a number nor a percentage up to 100%')
    return { share: Number(match[1]) / 100 }
  },
  { schema: { type: ['integer', 'string'], pattern: '^[0-9]{1,9}$|^([0-9]{1,2}(\\.[0-9]+)?|100)%$', minimum: 0 } },
)

/** Any text. */
export const anyText: Parse<string> = text => text

/** `http` or `https`, a host, perhaps a path; without a slash at the end. */
export const httpUrl: Parse<string> = text => {
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) throw new ValueFault('is no http or https URL')
  if (url.username !== '' || url.password !== '') throw new ValueFault('has a user name in it')
  if (url.search !== '' || url.hash !== '') throw new ValueFault('has more than a host and a path')
  return url.href.replace(/\/+$/, '')
}

/** One that a token may be sent to: HTTPS, or plain HTTP to this machine. */
export const secretUrl: Parse<string> = shaped('https?://[^\\s\\p{Cc}?#@]+', text => {
  const url = httpUrl(text)
  if (!/^(https:|http:\/\/(127\.0\.0\.1|\[::1\]|localhost)[:/])/.test(`${url}/`))
    throw new ValueFault('is not https: the token would go in clear text')
  return url
})

/** One word of the description of a rule, or nothing. */
export const clusterName: Parse<string> = shaped('[^\\s=\\p{Cc}]{0,253}', text => {
  if (!/^[^\s=]{0,253}$/.test(text)) throw new ValueFault('is not one word without =')
  return text
})

/** The name of a container image, with registry, tag or digest as they come. */
export const imageName: Parse<string> = shaped('[a-z0-9][A-Za-z0-9._:/@-]*', text => {
  if (text.length > 500 || !/^[a-z0-9][A-Za-z0-9._:/@-]*$/.test(text))
    throw new ValueFault('is not the name of an image')
  return text
})
