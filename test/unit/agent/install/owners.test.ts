import t from 'tap'
import { lookAtOwners } from '../../../../agent/install/owners.ts'
import type { Look } from '../../../../agent/install/taken-away.ts'
import { type KubeApi, KubeError, type KubeErrorCode } from '../../../../agent/kube/api.ts'

const names = { namespace: 'nopal', daemonSet: 'nopal', node: 'n1' }
const paths = {
  '/api/v1/namespaces/nopal': 'namespace',
  '/apis/apps/v1/namespaces/nopal/daemonsets/nopal': 'daemonSet',
  '/api/v1/nodes/n1': 'node',
  '/readyz': 'readyz',
} as const

type Answer = object | KubeErrorCode

interface Case {
  readonly name: string
  readonly answers: Partial<Record<(typeof paths)[keyof typeof paths], Answer>>
  /** To kactus; undefined = it has no token. */
  readonly kactus?: Answer
  readonly tokensHold?: boolean
  readonly want: Look
}

const object = { metadata: { name: 'x' } }
const going = { metadata: { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' } }
const found: Look = { namespace: 'there', daemonSet: 'there', node: 'there', kactus: 'noAnswer' }
const nothing: Look = { namespace: 'noAnswer', daemonSet: 'noAnswer', node: 'noAnswer', kactus: 'noAnswer' }
const locked = { namespace: 'Unauthorized', daemonSet: 'Unauthorized', node: 'Unauthorized' } as const
const unknown: Look = {
  namespace: 'unknownAccount',
  daemonSet: 'unknownAccount',
  node: 'unknownAccount',
  kactus: 'unknownAccount',
}

const cases: readonly Case[] = [
  { name: 'all is there', answers: {}, want: found },
  {
    name: 'marked as going',
    answers: { namespace: going, daemonSet: going },
    want: { ...found, namespace: 'going', daemonSet: 'going' },
  },
  { name: 'not found', answers: { daemonSet: 'NotFound' }, want: { ...found, daemonSet: 'gone' } },
  { name: 'forbidden', answers: { namespace: 'Forbidden' }, want: { ...found, namespace: 'forbidden' } },
  ...(['Unreachable', 'TLSFailed', 'TimedOut', 'ServerError', 'Throttled', 'BadReply'] as const).map(code => ({
    name: `says nothing: ${code}`,
    answers: { daemonSet: code, namespace: code, node: code },
    want: nothing,
  })),
  { name: 'an answer that is no object', answers: { daemonSet: {} }, want: { ...found, daemonSet: 'noAnswer' } },
  { name: 'let in no more, kactus neither', answers: locked, kactus: 'Unauthorized', want: unknown },
  {
    name: 'let in no more, kactus is',
    answers: locked,
    kactus: 'Forbidden',
    want: { ...unknown, kactus: 'forbidden' },
  },
  { name: 'let in no more, kactus has no token', answers: locked, want: nothing },
  {
    name: 'let in no more, with a token that has run out',
    answers: locked,
    kactus: 'Unauthorized',
    tokensHold: false,
    want: nothing,
  },
  {
    name: 'let in no more by a server that does not work',
    answers: { ...locked, readyz: 'ServerError' },
    kactus: 'Unauthorized',
    want: nothing,
  },
  {
    name: 'by one that is away by now',
    answers: { ...locked, readyz: 'Unreachable' },
    kactus: 'Unauthorized',
    want: nothing,
  },
  {
    name: 'by one that tells nobody how it is',
    answers: { ...locked, readyz: 'Unauthorized' },
    kactus: 'Unauthorized',
    want: unknown,
  },
  {
    name: 'by one that works and says so in plain text',
    answers: { ...locked, readyz: 'BadReply' },
    kactus: 'Unauthorized',
    want: unknown,
  },
]

for (const { name, answers, kactus, tokensHold = true, want } of cases) {
  t.test(`what the agent belongs to: ${name}`, async t => {
    const asked: string[] = []
    const kube = apiOf(path => answers[paths[path as keyof typeof paths]] ?? object, asked)
    const asKactus = kactus === undefined ? undefined : apiOf(() => kactus, asked)
    t.strictSame(await lookAtOwners({ kube, asKactus, asNobody: kube, tokensHold, names }), want)
    if (Object.keys(answers).length === 0)
      t.strictSame(
        asked.sort(),
        Object.keys(paths)
          .filter(path => path !== '/readyz')
          .sort(),
      )
  })
}

function apiOf(answerTo: (path: string) => Answer, asked: string[]): KubeApi {
  return {
    server: 'https://h',
    async request({ method, path }) {
      if (method !== 'GET') throw new Error(`${method} ${path}`)
      asked.push(path)
      const answer = answerTo(path)
      if (typeof answer === 'string') throw new KubeError(answer, 'on purpose')
      return answer
    },
  }
}
