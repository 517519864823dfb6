import { deepStrictEqual } from 'node:assert/strict'
import t from 'tap'
import {
  answerFrom,
  type LookupAnswer,
  type LookupCache,
  type LookupQuestion,
  parseAnswer,
  parseQuestion,
  podFactsFrom,
  printAnswer,
  printQuestion,
} from '../../../../cni/networks/lookup-protocol.ts'
import type { Json } from '../../../../cni/spec/json.ts'
import { parseJson } from '../../../../cni/spec/json.ts'
import { randomInput, tryMany } from '../random-input.ts'

interface QuestionCase {
  readonly name: string
  readonly question: LookupQuestion
}

const questionCases: readonly QuestionCase[] = [
  { name: 'all networks of a pod', question: { namespace: 'team', pod: 'p1.x', network: undefined } },
  {
    name: 'one network',
    question: { namespace: 'team', pod: 'p1', network: { kind: 'Network', name: 'green', namespace: undefined } },
  },
  {
    name: 'one network of a namespace',
    question: {
      namespace: 'team',
      pod: 'p1',
      network: { kind: 'NetworkAttachmentDefinition', name: 'green', namespace: 'infra' },
    },
  },
]

for (const { name, question } of questionCases) {
  t.test(`a question comes over as it was: ${name}`, async t => {
    const line = printQuestion(question)
    t.match(line, /^[^\n]*\n$/, 'one line')
    t.strictSame(parseQuestion(line), question)
  })
}

interface JunkCase {
  readonly name: string
  readonly text: string
}

const junkQuestions: readonly JunkCase[] = [
  { name: 'nothing', text: '' },
  { name: 'no JSON', text: 'hello\n' },
  { name: 'a list', text: '[]\n' },
  { name: 'no version', text: '{"namespace":"a","pod":"b"}' },
  { name: 'another version', text: '{"nopal":2,"namespace":"a","pod":"b"}' },
  { name: 'the version as text', text: '{"nopal":"1","namespace":"a","pod":"b"}' },
  { name: 'no pod', text: '{"nopal":1,"namespace":"a"}' },
  { name: 'a pod with a path', text: '{"nopal":1,"namespace":"a","pod":"../b"}' },
  { name: 'a namespace with a path', text: '{"nopal":1,"namespace":"a/b","pod":"b"}' },
  { name: 'a network that is text', text: '{"nopal":1,"namespace":"a","pod":"b","network":"green"}' },
  { name: 'a kind nobody knows', text: '{"nopal":1,"namespace":"a","pod":"b","network":{"kind":"Secret","name":"c"}}' },
  { name: 'a network without a name', text: '{"nopal":1,"namespace":"a","pod":"b","network":{"kind":"Network"}}' },
  {
    name: 'a network with a namespace that is none',
    text: '{"nopal":1,"namespace":"a","pod":"b","network":{"kind":"Network","name":"c","namespace":"d/e"}}',
  },
  { name: 'endless nesting', text: '{"nopal":1,"network":'.repeat(300) },
]

for (const { name, text } of junkQuestions) {
  t.test(`no question: ${name}`, async t => {
    t.equal(parseQuestion(text), undefined)
  })
}

t.test('an answer comes over as it was, digits included', async t => {
  const answer: LookupAnswer = {
    pod: { uid: 'u1', annotations: { networks: '[{"name":"green"}]\n' } },
    networks: [{ kind: 'Network', object: parseJson('{"metadata":{"generation":9007199254740993}}') }],
  }
  const line = printAnswer(answer)
  t.match(line, /^[^\n]*\n$/, 'one line')
  t.strictSame(parseAnswer(line), answer)
})

const junkAnswers: readonly JunkCase[] = [
  { name: 'not known', text: printAnswer(undefined) },
  { name: 'nothing', text: '' },
  { name: 'half', text: '{"nopal":1,"known":true' },
  { name: 'null', text: 'null' },
  { name: 'another version', text: '{"nopal":2,"known":true,"pod":{"uid":"u","annotations":{}},"networks":[]}' },
  { name: 'known as text', text: '{"nopal":1,"known":"true","pod":{"uid":"u","annotations":{}},"networks":[]}' },
  { name: 'no pod', text: '{"nopal":1,"known":true,"networks":[]}' },
  { name: 'a pod without uid', text: '{"nopal":1,"known":true,"pod":{"annotations":{}},"networks":[]}' },
  {
    name: 'annotations that are a list',
    text: '{"nopal":1,"known":true,"pod":{"uid":"u","annotations":[]},"networks":[]}',
  },
  { name: 'no networks', text: '{"nopal":1,"known":true,"pod":{"uid":"u"}}' },
  { name: 'networks that are an object', text: '{"nopal":1,"known":true,"pod":{"uid":"u"},"networks":{}}' },
  { name: 'a network that is text', text: '{"nopal":1,"known":true,"pod":{"uid":"u"},"networks":["green"]}' },
  {
    name: 'a network of a kind nobody knows',
    text: '{"nopal":1,"known":true,"pod":{"uid":"u"},"networks":[{"kind":"Pod","object":{}}]}',
  },
  {
    name: 'a network without an object',
    text: '{"nopal":1,"known":true,"pod":{"uid":"u"},"networks":[{"kind":"Network"}]}',
  },
]

for (const { name, text } of junkAnswers) {
  t.test(`no answer: ${name}`, async t => {
    t.equal(parseAnswer(text), undefined)
  })
}

t.test('annotations that are no text are left out, odd names kept apart', async t => {
  const facts = podFactsFrom(parseJson('{"uid":"u","annotations":{"a":"1","b":2,"c":null,"__proto__":"x"}}'))
  t.strictSame(Object.entries(facts?.annotations ?? {}), [
    ['a', '1'],
    ['__proto__', 'x'],
  ])
  t.strictSame(podFactsFrom({ uid: 'u' }), { uid: 'u', annotations: {} })
  t.equal(podFactsFrom(undefined), undefined)
})

class Memory implements LookupCache {
  readonly asked: string[] = []
  readonly #annotations: Readonly<Record<string, string>> | undefined
  readonly #networks: Readonly<Record<string, Json>>

  constructor(annotations: Readonly<Record<string, string>> | undefined, networks: Readonly<Record<string, Json>>) {
    this.#annotations = annotations
    this.#networks = networks
  }

  pod() {
    return this.#annotations && { uid: 'u1', annotations: this.#annotations }
  }

  network(kind: string, namespace: string, name: string): Json | undefined {
    const key = `${kind} ${namespace}/${name}`
    this.asked.push(key)
    return this.#networks[key]
  }
}

interface AgentCase {
  readonly name: string
  readonly memory: Memory
  readonly network?: LookupQuestion['network']
  readonly want: LookupAnswer | undefined
  readonly asked: readonly string[]
}

const twoNetworks = '[{"name":"green"},{"name":"blue","namespace":"infra"}]'

const agentCases: readonly AgentCase[] = [
  { name: 'a pod it does not know', memory: new Memory(undefined, {}), want: undefined, asked: [] },
  {
    name: 'a pod without networks, and only annotations that matter',
    memory: new Memory({ secret: 'x', 'kubernetes.io/config.mirror': 'h' }, {}),
    want: { pod: { uid: 'u1', annotations: { 'kubernetes.io/config.mirror': 'h' } }, networks: [] },
    asked: [],
  },
  {
    name: 'every object a request may mean, those that are there',
    memory: new Memory(
      { networks: twoNetworks },
      {
        'Network default/green': { a: 1 },
        'Network infra/blue': { b: 1 },
      },
    ),
    want: {
      pod: { uid: 'u1', annotations: { networks: twoNetworks } },
      networks: [
        { kind: 'Network', object: { a: 1 } },
        { kind: 'Network', object: { b: 1 } },
      ],
    },
    asked: ['Network team/green', 'Network default/green', 'Network infra/blue'],
  },
  {
    name: 'one network for a running pod, whatever its annotation says',
    memory: new Memory({ networks: 'junk' }, { 'Network team/red': {} }),
    network: { kind: 'Network', name: 'red', namespace: 'team' },
    want: { pod: { uid: 'u1', annotations: { networks: 'junk' } }, networks: [{ kind: 'Network', object: {} }] },
    asked: ['Network team/red'],
  },
  {
    name: 'an annotation that is bad: kactus will say so',
    memory: new Memory({ networks: 'junk' }, {}),
    want: { pod: { uid: 'u1', annotations: { networks: 'junk' } }, networks: [] },
    asked: [],
  },
]

for (const { name, memory, network, want, asked } of agentCases) {
  t.test(`the agent answers: ${name}`, async t => {
    const answer = answerFrom(memory, { namespace: 'team', pod: 'p1', network })
    t.strictSame(answer, want)
    t.strictSame(memory.asked, asked)
  })
}

t.test('random lines never throw, and what is read is printed the same', async t => {
  const random = randomInput(31)
  const question = printQuestion({ namespace: 'a', pod: 'b', network: { kind: 'Network', name: 'c', namespace: 'd' } })
  const answer = printAnswer({
    pod: { uid: 'u', annotations: { networks: '' } },
    networks: [{ kind: 'Network', object: 1 }],
  })
  let understood = 0
  const make = () => random.pick([random.damaged(question), random.damaged(answer), JSON.stringify(random.json(3))])
  const { surprises } = tryMany(
    5000,
    make,
    text => {
      const asked = parseQuestion(text)
      const said = parseAnswer(text)
      if (asked !== undefined) deepStrictEqual(parseQuestion(printQuestion(asked)), asked)
      if (said !== undefined) deepStrictEqual(parseAnswer(printAnswer(said)), said)
      if (asked !== undefined || said !== undefined) understood++
    },
    () => false,
  )
  t.strictSame(surprises, [])
  t.ok(understood > 50, `${understood} were understood`)
})
