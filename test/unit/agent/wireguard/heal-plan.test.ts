import t from 'tap'
import type { EndpointClass } from '../../../../agent/wireguard/classify.ts'
import {
  emptyMemory,
  type HealInput,
  type HealPlan,
  type HealSubject,
  noteFailure,
  planHeal,
} from '../../../../agent/wireguard/heal-plan.ts'
import { keyPair } from './samples.ts'

const target = { address: '203.0.113.2', port: 51821 }

function subject(found: EndpointClass, more: Partial<HealSubject> = {}): HealSubject {
  return {
    device: 'wg0',
    publicKey: keyPair(2).publicKey,
    node: 'n2',
    class: found,
    endpoint: found === 'expected' ? '203.0.113.2:51821' : '10.42.2.0:51821',
    handshakeMs: undefined,
    rxBytes: 0,
    allowed: true,
    target: found === 'expected' ? undefined : target,
    fullSize: false,
    ...more,
  }
}

/** One node's plans, look after look. */
class Story {
  nowMs = 1_000
  /** Whether the device can be read. */
  answers = true
  plan: HealPlan = { memory: emptyMemory, actions: [], held: [], begun: [], ended: [] }
  readonly mode: HealInput['mode']

  constructor(mode: HealInput['mode'] = 'heal') {
    this.mode = mode
  }

  /** Looks after so many milliseconds. Says in short what is done and what is held. */
  look(afterMs: number, ...subjects: readonly HealSubject[]): readonly string[] {
    this.nowMs += afterMs
    const { nowMs, mode } = this
    const answered = new Set(this.answers ? ['wg0'] : [])
    this.plan = planHeal({ subjects, answered, memory: this.plan.memory, mode, nowMs, random: () => 0.5 })
    return [
      ...this.plan.actions.map(({ kind, node }) => `${kind} ${node}`),
      ...this.plan.held.map(({ reason }) => reason),
    ]
  }

  /** As whoever carries out a reset would. */
  noteReset(): void {
    this.plan = { ...this.plan, memory: { ...this.plan.memory, resetMs: this.nowMs } }
  }

  get isOpen(): boolean {
    return this.plan.memory.incidents.size > 0
  }
}

t.test('a leak is put right after its share of a second', async t => {
  const story = new Story()
  t.strictSame(story.look(0, subject('leaked')), ['Waiting'])
  t.match(story.plan.begun, [{ node: 'n2', trouble: 'leaked', firstMs: 1_000 }])
  t.strictSame(story.look(499, subject('leaked')), ['Waiting'])
  t.strictSame(story.look(1, subject('leaked')), ['set n2'])
  t.strictSame(story.plan.actions, [
    {
      kind: 'set',
      device: 'wg0',
      publicKey: keyPair(2).publicKey,
      node: 'n2',
      from: '10.42.2.0:51821',
      to: target,
      trouble: 'leaked',
    },
  ])
  t.strictSame(story.plan.begun, [], 'it begins once')
})

t.test('what is well needs nothing, and leaves nothing', async t => {
  const story = new Story()
  for (const found of ['expected', 'lan', 'stale', 'unknown', 'none'] as const) {
    t.strictSame(story.look(1_000, subject(found)), [], found)
    t.notOk(story.isOpen, found)
  }
})

const holds: readonly { name: string; mode?: HealInput['mode']; more?: Partial<HealSubject>; want: string }[] = [
  { name: 'off', mode: 'off', want: 'Observed' },
  { name: 'observe', mode: 'observe', want: 'Observed' },
  { name: 'an allowed-ip is missing', more: { allowed: false }, want: 'MissingAllowedIP' },
  { name: 'nobody knows where it should be', more: { target: undefined }, want: 'NoTarget' },
]

for (const row of holds) {
  t.test(`not put right: ${row.name}`, async t => {
    const story = new Story(row.mode)
    const wrong = subject('leaked', row.more)
    for (let look = 0; look < 40; look++) t.strictSame(story.look(1_000, wrong), [row.want])
    t.ok(story.isOpen)
  })
}

t.test('an incident ends with a handshake, and not before it is sure that nobody undoes it', async t => {
  const story = new Story()
  story.look(0, subject('leaked'))
  story.look(1_000, subject('leaked'))
  const well = subject('expected', { handshakeMs: story.nowMs + 100 })
  story.look(1_000, well)
  t.ok(story.isOpen)
  story.look(18_900, well)
  t.ok(story.isOpen)
  story.look(200, well)
  t.notOk(story.isOpen)
  t.match(story.plan.ended, [{ node: 'n2', firstMs: 1_000, provedMs: 3_000 }])
})

t.test('a device that cannot be read for a while proves nothing', async t => {
  const story = new Story()
  story.look(0, subject('leaked'))
  t.strictSame(story.look(1_000, subject('leaked')), ['set n2'])
  story.answers = false
  story.look(1_000)
  story.answers = true
  story.look(1_000, subject('expected'))
  t.ok(story.isOpen, 'not proved to live')
  t.strictSame(story.look(1_000, subject('leaked')), ['set n2', 'reset n2'], 'and a wrong one is one put back')
  story.look(1_000)
  t.notOk(story.isOpen, 'a peer that is gone from its device is over')
})

t.test('a device that is gone for good is forgotten', async t => {
  const story = new Story()
  story.look(0, subject('leaked'))
  story.answers = false
  story.look(599_000)
  t.ok(story.isOpen)
  story.look(2_000)
  t.notOk(story.isOpen)
})

const proofs: readonly { name: string; trouble?: EndpointClass; more: Partial<HealSubject>; want: boolean }[] = [
  { name: 'nothing', more: {}, want: false },
  { name: 'a handshake from before', more: { handshakeMs: 1_999 }, want: false },
  { name: 'a handshake since', more: { handshakeMs: 2_001 }, want: true },
  { name: 'bytes on a valid session', more: { handshakeMs: 1_000, rxBytes: 1 }, want: true },
  { name: 'bytes on none', more: { rxBytes: 1 }, want: false },
  { name: 'bytes on one that is over', more: { handshakeMs: -200_000, rxBytes: 1 }, want: false },
  { name: 'a handshake, but an allowed-ip is missing', more: { handshakeMs: 2_001, allowed: false }, want: false },
  { name: 'nested: a handshake', trouble: 'nested', more: { handshakeMs: 2_001, rxBytes: 9 }, want: false },
  { name: 'nested: a packet of full size', trouble: 'nested', more: { fullSize: true }, want: true },
]

for (const { name, trouble = 'leaked', more, want } of proofs) {
  t.test(`proof of life: ${name}`, async t => {
    const story = new Story()
    story.look(0, subject(trouble))
    t.strictSame(story.look(1_000, subject(trouble)), ['set n2'])
    story.look(1_000, subject('expected', more))
    story.look(30_000, subject('expected', more))
    t.equal(!story.isOpen, want)
  })
}

t.test('one that became right by itself needs proof too', async t => {
  const story = new Story('observe')
  story.look(0, subject('leaked'))
  const rightMs = story.nowMs + 1_000
  story.look(1_000, subject('expected'))
  story.look(30_000, subject('expected'))
  t.ok(story.isOpen)
  story.look(1_000, subject('expected', { handshakeMs: rightMs + 1 }))
  t.notOk(story.isOpen)
})

t.test('put back within 20 s: a reset, once', async t => {
  const story = new Story()
  story.look(0, subject('leaked'))
  t.strictSame(story.look(1_000, subject('leaked')), ['set n2'])
  story.look(1_000, subject('expected'))
  t.strictSame(story.look(14_000, subject('leaked')), ['set n2', 'reset n2'])
  story.noteReset()
  story.look(1_000, subject('expected'))
  t.strictSame(story.look(14_000, subject('leaked')), ['set n2', 'ResetTooSoon'])
  t.strictSame(story.look(15_000, subject('leaked')), ['PeerBudget', 'ResetTooSoon'])
  t.ok(story.isOpen, 'all the while it is not well')
})

t.test('put back every two seconds: three tries, one reset, in ten minutes', async t => {
  const story = new Story()
  const done: string[] = []
  for (let look = 0; look < 300; look++) {
    done.push(...story.look(2_000, subject('leaked')).filter(each => each.includes(' ')))
    if (story.plan.actions.some(({ kind }) => kind === 'reset')) story.noteReset()
    t.ok(story.isOpen)
  }
  t.strictSame(done, ['set n2', 'set n2', 'reset n2', 'set n2'])
})

t.test('a wrong one that comes much later is another leak, not a revert', async t => {
  const story = new Story()
  story.look(0, subject('leaked'))
  story.look(1_000, subject('leaked'))
  story.look(21_000, subject('expected'))
  t.strictSame(story.look(1_000, subject('leaked')), ['set n2'])
})

t.test('what could not be set was not put back', async t => {
  const story = new Story()
  story.look(0, subject('leaked'))
  story.look(1_000, subject('leaked'))
  story.plan = { ...story.plan, memory: noteFailure(story.plan.memory, subject('leaked')) }
  t.strictSame(story.look(1_000, subject('leaked')), ['set n2'])
  story.plan = { ...story.plan, memory: noteFailure(story.plan.memory, subject('leaked')) }
  story.look(1_000, subject('leaked'))
  t.strictSame(story.look(1_000, subject('leaked')), ['reset n2', 'PeerBudget'], 'tries are counted all the same')
})

t.test('no reset while an allowed-ip is missing: the leak would be learned again', async t => {
  const story = new Story()
  story.look(0, subject('leaked'))
  story.look(1_000, subject('leaked'))
  t.strictSame(story.look(1_000, subject('leaked', { allowed: false })), ['MissingAllowedIP', 'MissingAllowedIP'])
})

t.test('the budget of a node', async t => {
  const story = new Story()
  const many = Array.from({ length: 250 }, (_, index) =>
    subject('leaked', { publicKey: `k${index}`, node: `m${index}` }),
  )
  story.look(0, ...many)
  const said = story.look(1_000, ...many)
  t.equal(said.filter(each => each.startsWith('set')).length, 200)
  t.equal(said.filter(each => each === 'NodeBudget').length, 50)
})

t.test('a peer that is gone is forgotten', async t => {
  const story = new Story()
  story.look(0, subject('leaked'))
  story.look(1_000)
  t.notOk(story.isOpen)
})

t.test('one that has no endpoint for a moment is not right yet', async t => {
  const story = new Story()
  story.look(0, subject('leaked'))
  t.strictSame(story.look(1_000, subject('none')), [])
  t.ok(story.isOpen)
})
