import t from 'tap'
import { Fault } from '../fakes/apiserver/fault.ts'
import { isSame, type Json, type JsonObject } from '../fakes/apiserver/json.ts'
import { applyJsonPatch } from '../fakes/apiserver/json-patch.ts'
import { parseRevision } from '../fakes/apiserver/list.ts'
import { applyMergePatch, applyStrategicPatch } from '../fakes/apiserver/merge-patch.ts'
import { parseRequest } from '../fakes/apiserver/request.ts'
import { parseFieldSelector, parseLabelSelector } from '../fakes/apiserver/selectors.ts'
import { createRandom } from '../unit/agent/verify/seeded-random.ts'

// Whatever comes in, the embedded server answers or refuses; it never breaks. Seeded, so that a failure comes back.

type Random = () => number

/** Numbers from 0 to below 1. */
function randomFrom(seed: number): Random {
  const next = createRandom(seed)
  return () => next(2 ** 32) / 2 ** 32
}

function pick<T>(random: Random, from: readonly [T, ...T[]]): T {
  return from[Math.floor(random() * from.length)] ?? from[0]
}

function text(random: Random, pieces: readonly [string, ...string[]], longest: number): string {
  return Array.from({ length: Math.floor(random() * longest) }, () => pick(random, pieces)).join('')
}

function json(random: Random, depth: number): Json {
  const leaf = pick<Json>(random, [null, true, 0, 'x', 'type', '', -1])
  if (depth === 0 || random() < 0.3) return leaf
  const size = Math.floor(random() * 3)
  if (random() < 0.4) return Array.from({ length: size }, () => json(random, depth - 1))
  return object(random, depth, size)
}

function object(random: Random, depth: number, size = 3): JsonObject {
  const keys: readonly [string, ...string[]] = ['a', 'b', 'type', 'conditions', '$patch', '0', '']
  return Object.fromEntries(Array.from({ length: size }, () => [pick(random, keys), json(random, depth - 1)]))
}

interface ParserRow {
  readonly name: string
  readonly parse: (random: Random) => unknown
}

const selectorPieces = ['a', 'b', '=', '==', '!=', '!', ' ', ',', '(', ')', 'in', 'notin', '.', '/'] as const
const fieldPieces = ['metadata.name', 'x', '=', '!=', '!', ',', ' '] as const
const pathPieces = [
  '/',
  'api',
  'apis',
  'v1',
  'namespaces',
  'x',
  'status',
  '%2F',
  '%',
  '?',
  'watch=1',
  '&',
  '#',
] as const
const pointerPieces = ['/', 'a', 'b', '0', '1', '-', '~0', '~1', '~', 'conditions'] as const
const operations = ['test', 'add', 'remove', 'replace', 'copy', 'move', 'nonsense'] as const

const rows: readonly ParserRow[] = [
  { name: 'label selectors', parse: random => parseLabelSelector(text(random, [...selectorPieces], 8))({}) },
  {
    name: 'field selectors',
    parse: random => parseFieldSelector(text(random, [...fieldPieces], 6), ['metadata.name'])({}),
  },
  {
    name: 'paths',
    parse: random => parseRequest(pick(random, ['GET', 'POST', 'ODD']), `/${text(random, [...pathPieces], 10)}`),
  },
  { name: 'versions', parse: random => parseRevision(text(random, ['0', '1', '-', 'e', '.', ' '], 5)) },
  {
    name: 'JSON patches',
    parse: random => {
      const pointer = () => text(random, [...pointerPieces], 5)
      const patch = { op: pick(random, [...operations]), path: pointer(), from: pointer(), value: json(random, 2) }
      return applyJsonPatch(object(random, 4), random() < 0.05 ? json(random, 2) : [patch])
    },
  },
  { name: 'merge patches', parse: random => applyMergePatch(json(random, 3), json(random, 3)) },
  {
    name: 'strategic merge patches',
    parse: random => applyStrategicPatch(object(random, 4), object(random, 4), { conditions: 'type', 'a.b': '' }),
  },
]

for (const row of rows) {
  await t.test(`${row.name}: random input is parsed or refused`, async t => {
    const random = randomFrom(20260101)
    let parsed = 0
    for (let count = 0; count < 5000; count += 1) {
      try {
        row.parse(random)
        parsed += 1
      } catch (error) {
        // A path with a bad escape is told by this error, which the server answers with 400.
        if (!(error instanceof Fault) && !(error instanceof URIError)) throw error
      }
    }
    t.ok(parsed > 0, 'some of it means something')
  })
}

await t.test('a merge patch of a document by itself changes nothing', async t => {
  const random = randomFrom(7)
  const faults: unknown[] = []
  for (let count = 0; count < 1000; count += 1) {
    const document = applyMergePatch({}, object(random, 3))
    if (!isSame(applyMergePatch(document, document), document)) faults.push(document)
  }
  t.strictSame(faults, [])
})

await t.test('a patch leaves the document it was given as it was', async t => {
  const random = randomFrom(11)
  const faults: string[] = []
  for (let count = 0; count < 1000; count += 1) {
    const document = object(random, 4)
    const before = JSON.stringify(document)
    applyMergePatch(document, object(random, 3))
    if (JSON.stringify(document) !== before) faults.push(before)
  }
  t.strictSame(faults, [])
})
