import { type Json, parseJson } from '../../../cni/spec/json.ts'
import { createRandom } from '../agent/verify/seeded-random.ts'

/** Input that looks enough like the real thing to get past a parser's first look. */
export interface RandomInput {
  /** A whole number from 0 up to, not including, `below`. */
  below(below: number): number
  pick<T>(items: readonly [T, ...T[]]): T
  /** Up to `most` pieces in a row. */
  text(pieces: readonly [string, ...string[]], most: number): string
  bytes(most: number): Uint8Array
  json(depth?: number): Json
  /** A text with a piece cut out, doubled or replaced. */
  damaged(text: string): string
}

const NASTY: readonly [string, ...string[]] = [
  '',
  ...['a', '/', '..', '\u0000', ';', '=', '"', "'", '{', '}', '[', ']', ',', ':', '\n', '\t', ' ', '-', '#', '\\'],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'name',
    'type',
    '0',
    '9007199254740993',
    '1e400',
    'true',
    'null',
    'é',
    '💥',
  ],
]

/** The same seed gives the same input. */
export function randomInput(seed: number): RandomInput {
  const below = createRandom(seed)
  const pick = <T>(items: readonly [T, ...T[]]): T => items[below(items.length)] ?? items[0]
  const text = (pieces: readonly [string, ...string[]], most: number) =>
    Array.from({ length: below(most + 1) }, () => pick(pieces)).join('')
  // Node's JSON.parse mistakes an escaped key for an earlier one that has a backslash in it.
  const key = () => pick([pick(NASTY), text(NASTY, 2)]).replaceAll('\\', '')
  const json = (depth = 4): Json => {
    const kind = below(depth > 0 ? 7 : 5)
    if (kind === 0) return pick([null, true, false])
    if (kind === 1) return pick<Json>([below(1000) - 500, parseJson('9007199254740993'), parseJson('1.0')])
    if (kind < 5) return text(NASTY, 3)
    if (kind === 5) return Array.from({ length: below(4) }, () => json(depth - 1))
    return Object.fromEntries(Array.from({ length: below(4) }, () => [key(), json(depth - 1)]))
  }
  const damaged = (whole: string) => {
    const from = below(whole.length + 1)
    const to = Math.min(from + below(8), whole.length)
    const piece = pick(['', text(NASTY, 4), whole.slice(from, to).repeat(2)])
    return whole.slice(0, from) + piece + whole.slice(to)
  }
  const bytes = (most: number) => Uint8Array.from({ length: below(most + 1) }, () => below(256))
  return { below, pick, text: (pieces, most) => text(pieces, most), bytes, json, damaged }
}

/** Pieces that mean something to most of the formats here. */
export const nastyPieces = NASTY

/** What a parser did with many inputs. */
export interface Trial {
  /** How many it accepted. */
  readonly accepted: number
  /** Inputs at which it failed in a way it does not promise. */
  readonly surprises: readonly string[]
}

/** Gives a parser many inputs; what it throws must be a refusal it promises. */
export function tryMany<T>(
  rounds: number,
  make: () => T,
  parse: (input: T) => void,
  isRefusal: (error: unknown) => boolean,
): Trial {
  const surprises: string[] = []
  let accepted = 0
  for (let round = 0; round < rounds; round++) {
    const input = make()
    try {
      parse(input)
      accepted++
    } catch (error) {
      if (!isRefusal(error)) surprises.push(`${JSON.stringify(input)}: ${String(error)}`)
    }
  }
  return { accepted, surprises }
}
