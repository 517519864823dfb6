import t from 'tap'
import { KubeError } from '../../../../agent/kube/api.ts'
import { codeOfStatus, parseRetryAfter, toConnectionError } from '../../../../agent/kube/failures.ts'
import { newerOf, parseNode } from '../../../../agent/kube/node.ts'
import { settleReads } from '../../../../agent/kube/settled-reads.ts'
import { parseList, parseWatchLine } from '../../../../agent/kube/watch-events.ts'
import { nodeBody, nodeOf } from '../gate/samples.ts'
import { createRandom } from '../verify/seeded-random.ts'

interface CodeCase {
  readonly code: string
  readonly want: KubeError['code']
}

const codeCases: readonly CodeCase[] = [
  { code: 'ECONNREFUSED', want: 'Unreachable' },
  { code: 'EHOSTUNREACH', want: 'Unreachable' },
  { code: 'ENOTFOUND', want: 'Unreachable' },
  { code: 'EAI_AGAIN', want: 'Unreachable' },
  { code: 'ECONNRESET', want: 'Unreachable' },
  { code: 'ETIMEDOUT', want: 'TimedOut' },
  { code: 'CERT_HAS_EXPIRED', want: 'TLSFailed' },
  { code: 'CERT_NOT_YET_VALID', want: 'TLSFailed' },
  { code: 'DEPTH_ZERO_SELF_SIGNED_CERT', want: 'TLSFailed' },
  { code: 'SELF_SIGNED_CERT_IN_CHAIN', want: 'TLSFailed' },
  { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', want: 'TLSFailed' },
  { code: 'ERR_TLS_CERT_ALTNAME_INVALID', want: 'TLSFailed' },
  { code: 'ERR_SSL_WRONG_VERSION_NUMBER', want: 'TLSFailed' },
  { code: 'EPROTO', want: 'TLSFailed' },
  { code: 'EMFILE', want: 'Unreachable' },
]

for (const { code, want } of codeCases) {
  t.test(`connection error ${code}`, async t => {
    const error = Object.assign(new Error('whatever it says: certificate has timed out'), { code })
    t.equal(toConnectionError(error, 'GET /').code, want)
    t.equal(toConnectionError(new AggregateError([error]), 'GET /').code, want, 'one error per address')
  })
}

t.test('every status that is not 2xx has the code of its kind, or its own', async t => {
  const own = [401, 403, 404, 408, 409, 410, 429]
  t.same(
    own.map(status => codeOfStatus(status)),
    ['Unauthorized', 'Forbidden', 'NotFound', 'TimedOut', 'Conflict', 'Gone', 'Throttled'],
  )
  const kinds = { 100: 'BadReply', 300: 'BadReply', 400: 'Invalid', 500: 'ServerError' }
  const faults = Object.entries(kinds).flatMap(([first, want]) =>
    Array.from({ length: 100 }, (_, index) => Number(first) + index)
      .filter(status => !own.includes(status) && codeOfStatus(status) !== want)
      .map(status => `${status} is no ${want}`),
  )
  t.strictSame(faults, [])
})

t.test('Retry-After', async t => {
  t.equal(parseRetryAfter('120'), 120_000)
  for (const junk of [undefined, '', '-1', '1.5', 'soon', '99999999', 'Wed, 21 Oct 2026 07:28:00 GMT']) {
    t.equal(parseRetryAfter(junk), undefined, String(junk))
  }
})

t.test('a node keeps all of each taint, and reads what is missing or null', async t => {
  const raw = { key: 'k', effect: 'NoExecute', timeAdded: 't', later: [1] }
  t.same(parseNode(nodeBody({ taints: [raw] }))?.taints, [{ key: 'k', effect: 'NoExecute', raw }])
  t.match(parseNode({ metadata: { name: 'n', uid: 'u', labels: null }, spec: { taints: null }, status: null }), {
    name: 'n',
    labels: undefined,
    taints: undefined,
    conditions: [],
  })
})

for (const junk of [
  undefined,
  null,
  1,
  'x',
  [],
  {},
  { metadata: {} },
  { metadata: { name: 'n' } },
  { metadata: { name: 1, uid: 'u' } },
]) {
  t.test(`no node: ${JSON.stringify(junk)}`, async t => {
    t.equal(parseNode(junk), undefined)
  })
}

interface NewerCase {
  readonly name: string
  readonly known: string
  readonly come: string
  readonly comeUid?: string
  readonly want: 'known' | 'come'
}

const newerCases: readonly NewerCase[] = [
  { name: 'newer', known: '9', come: '10', want: 'come' },
  { name: 'older, as a late event of a watch', known: '10', come: '9', want: 'known' },
  { name: 'the same', known: '10', come: '10', want: 'come' },
  { name: 'larger than a number can be', known: '18446744073709551615', come: '18446744073709551614', want: 'known' },
  { name: 'no numbers', known: 'b', come: 'a', want: 'come' },
  { name: 'another machine', known: '10', come: '9', comeUid: 'u2', want: 'come' },
]

for (const row of newerCases) {
  t.test(`the newer of two sights: ${row.name}`, async t => {
    const known = nodeOf({ resourceVersion: row.known })
    const come = nodeOf({ resourceVersion: row.come, uid: row.comeUid ?? 'u1' })
    t.equal(newerOf(known, come), row.want === 'known' ? known : come)
  })
}

t.test('settled reads: from memory only while a watch is open, and never writes', async t => {
  const asked: string[] = []
  const watch = { open: false }
  const { api, forget } = settleReads(
    {
      server: 'https://test',
      async request({ method, path }) {
        asked.push(`${method} ${path}`)
        return asked.length
      },
    },
    () => watch.open,
  )
  const get = { method: 'GET', path: '/a' } as const
  t.equal(await api.request(get), 1)
  t.equal(await api.request(get), 2)
  watch.open = true
  t.equal(await api.request(get), 2)
  t.equal(await api.request({ ...get, query: { x: '1' } }), 3, 'another question')
  t.equal(await api.request({ method: 'POST', path: '/a' }), 4)
  t.equal(await api.request({ method: 'POST', path: '/a' }), 5)
  t.equal(forget(), true)
  t.equal(forget(), false)
  t.equal(await api.request(get), 6)
  t.equal(forget(), false, 'nothing came from memory since')
})

t.test('settled reads: a failure is not remembered', async t => {
  const answers = [new KubeError('ServerError', 'ill'), 'fine']
  const { api } = settleReads(
    {
      server: 'https://test',
      async request() {
        const answer = answers.shift()
        if (answer instanceof Error) throw answer
        return answer
      },
    },
    () => true,
  )
  await t.rejects(api.request({ method: 'GET', path: '/a' }), { code: 'ServerError' })
  t.equal(await api.request({ method: 'GET', path: '/a' }), 'fine')
})

/** A random JSON value that now and then has the names the parsers look for. */
function randomValue(random: (below: number) => number, depth = 0): unknown {
  const names = [
    'metadata',
    'type',
    'object',
    'items',
    'name',
    'uid',
    'resourceVersion',
    'spec',
    'taints',
    'status',
    'x',
  ]
  const leaves = [null, true, 0, -1, '', 'ADDED', 'BOOKMARK', 'ERROR', '7', [], {}]
  if (depth > 4 || random(3) === 0) return leaves[random(leaves.length)]
  if (random(3) === 0) return Array.from({ length: random(3) }, () => randomValue(random, depth + 1))
  return Object.fromEntries(
    Array.from({ length: random(4) }, () => [names[random(names.length)], randomValue(random, depth + 1)]),
  )
}

t.test('random answers are read or refused, never anything else', async t => {
  const faults: string[] = []
  for (let seed = 1; seed <= 2000; seed++) {
    const random = createRandom(seed)
    const value = randomValue(random)
    const line = JSON.stringify(value)
    parseNode(value)
    for (const read of [
      () => parseList(value),
      () => parseWatchLine(line),
      () => parseWatchLine(line.slice(random(9))),
    ]) {
      try {
        read()
      } catch (error) {
        if (!(error instanceof KubeError)) faults.push(`seed ${seed}: ${String(error)}`)
      }
    }
  }
  t.strictSame(faults, [])
})
