/** What recorded placeholders stand for in this run. */
export class Bindings {
  readonly #values: Map<string, string>

  constructor(values: Iterable<readonly [string, string]> = []) {
    this.#values = new Map(values)
  }

  copy(): Bindings {
    return new Bindings(this.#values)
  }

  adopt(other: Bindings): void {
    for (const [key, value] of other.#values) this.#values.set(key, value)
  }

  /** Whether the placeholder stands for this value; it does from now on if it was not seen before. */
  bind(placeholder: string, value: unknown): boolean {
    if (typeof value !== 'string' || value === '') return false
    const known = this.#values.get(placeholder)
    if (known !== undefined) return known === value
    this.#values.set(placeholder, value)
    return true
  }

  /** A text to send, with what its placeholders stand for. */
  fill(text: string): string {
    return text.replace(placeholders, found => this.#values.get(found) ?? found)
  }
}

const placeholders = /(?:b{8}|c{8}|d{8})-[0-9a-f]{4}-4000-8000-[0-9a-f]{12}|fake\.jwt\.[a-z-]+/g
const whole = new RegExp(`^(?:${placeholders.source})$`)
const time = /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/
/** Not compared at all. */
const clocks = new Set(['lastmodified', 'expdatetime', 'lastcheckin'])

/**
 * Compares an answer with the recorded one; binds what is first seen.
 * @param trimmed the recorded body was cut: the answer may have more fields
 * @returns where they differ; undefined = nowhere
 */
export function findDifference(
  recorded: unknown,
  answer: unknown,
  how: { readonly bindings: Bindings; readonly trimmed: boolean; readonly at?: string },
): string | undefined {
  const { at = '' } = how
  if (typeof recorded === 'string') return findInText(recorded, answer, how)
  if (Array.isArray(recorded)) return Array.isArray(answer) ? findInSet(recorded, answer, how) : `${at}: no list`
  if (typeof recorded === 'object' && recorded !== null) return findInObject(recorded, answer, how)
  return recorded === answer ? undefined : `${at}: ${JSON.stringify(answer)}, recorded ${JSON.stringify(recorded)}`
}

function findInText(recorded: string, answer: unknown, { bindings, at = '' }: How): string | undefined {
  if (whole.test(recorded)) return bindings.bind(recorded, answer) ? undefined : `${at}: not what ${recorded} was`
  if (time.test(recorded)) return time.test(String(answer)) ? undefined : `${at}: no time: ${answer}`
  return recorded === answer ? undefined : `${at}: ${JSON.stringify(answer)}, recorded ${JSON.stringify(recorded)}`
}

type How = Parameters<typeof findDifference>[2]

function findInObject(recorded: object, answer: unknown, how: How): string | undefined {
  const { bindings, at = '', trimmed } = how
  if (typeof answer !== 'object' || answer === null) return `${at}: no object`
  const keyOf = (key: string) => bindings.fill(key)
  const found = new Map(Object.entries(answer))
  const fields = Object.entries(recorded).map(([key, value]) => [keyOf(key), value] as const)
  if (!trimmed && found.size !== fields.length)
    return `${at}: fields ${[...found.keys()]}, recorded ${fields.map(([key]) => key)}`
  for (const [key, value] of fields) {
    if (clocks.has(key)) continue
    if (!found.has(key)) return `${at}.${key}: missing`
    const wrong = findDifference(value, found.get(key), { ...how, at: `${at}.${key}` })
    if (wrong !== undefined) return wrong
  }
  return undefined
}

/** In any order: the server sorts by ids that are random. */
function findInSet(recorded: readonly unknown[], answer: readonly unknown[], how: How): string | undefined {
  const { at = '' } = how
  if (recorded.length !== answer.length) return `${at}: ${answer.length} rows, recorded ${recorded.length}`
  const [first, ...others] = recorded
  if (recorded.length === 0) return undefined
  let why = ''
  for (const [index, row] of answer.entries()) {
    const bindings = how.bindings.copy()
    const deeper = { ...how, bindings }
    const rest = answer.filter((_, place) => place !== index)
    const wrong = findDifference(first, row, { ...deeper, at: `${at}[${index}]` }) ?? findInSet(others, rest, deeper)
    if (wrong === undefined) {
      how.bindings.adopt(bindings)
      return undefined
    }
    why ||= wrong
  }
  return why
}
