import t from 'tap'
import { createGateStatus } from '../../../../agent/gate/status.ts'
import { createContact } from '../../../../agent/kube/contact.ts'
import { nodeRef } from '../../../../agent/kube/events.ts'
import { createLeadership } from '../../../../agent/lead/leadership.ts'
import { createEgressBoard } from '../../../../agent/netmaker/board.ts'
import { createAttachmentBoard } from '../../../../agent/podagent/board.ts'
import { createPoolBoard } from '../../../../agent/pool/board.ts'
import { createRemedyBoard } from '../../../../agent/remedy/board.ts'
import { readStatus } from '../../../../agent/report/document.ts'
import { createJournal } from '../../../../agent/report/journal.ts'
import { createStatus, type StatusSection } from '../../../../agent/report/status.ts'
import { createMetrics } from '../../../../agent/runtime/metrics.ts'
import { createVerdictStatus } from '../../../../agent/verify/status.ts'
import type { DeviceView } from '../../../../agent/wireguard/classify.ts'
import { createMeshStatus } from '../../../../agent/wireguard/status.ts'
import { attached, green, primary, recordOf } from '../podagent/samples.ts'
import { nodeNamed } from '../remedy/samples.ts'
import { failedVerdict } from './fixtures.ts'

/** What is read of a status that has this section. */
function read(...sections: readonly StatusSection[]) {
  const status = createStatus({ node: 'n1', version: '1.2.3' }, () => 60_000)
  for (const section of sections) status.add(section)
  return { seen: readStatus(JSON.parse(JSON.stringify(status.document()))), document: status.document() }
}

const peer = {
  publicKey: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  node: 'n2',
  endpoint: '203.0.113.2:51821',
  class: 'expected',
  detail: '',
  handshakeAge: 12.4,
  allowedIPs: ['10.42.2.0/24'],
  missingAllowedIPs: [],
  rxBytes: 1,
  txBytes: 2,
} as const

t.test('status: the peers of every device, and where those are that are wrong', async t => {
  const peers = [
    peer,
    { ...peer, node: 'n3', class: 'leaked', endpoint: '10.42.3.1:51821', detail: 'of pods' },
    { ...peer, node: 'n4', missingAllowedIPs: ['10.42.4.0/24'] },
  ] as const
  const devices: readonly DeviceView[] = [{ name: 'nm-lab', kind: 'kernel', readable: true, peers }]
  const map = { nodeOf: () => undefined, faultOf: () => undefined, pods: [], others: [] }
  const state = { devices, readings: [], map, incidents: new Map(), held: [] }
  const { seen } = read(
    createMeshStatus(
      () => state,
      () => ({ hasDevice: true, podCIDRs: [], peers: 2, missing: [] }),
    ),
  )
  const of = { publicKey: 'AAAAAAAA', handshakeAge: 12.4 }
  t.strictSame(seen.wireguard?.devices, [
    {
      name: 'nm-lab',
      readable: true,
      links: [
        { ...of, node: 'n2', class: 'expected', bad: false, endpoint: null, why: '' },
        { ...of, node: 'n3', class: 'leaked', bad: true, endpoint: '10.42.3.1:51821', why: 'of pods' },
        {
          ...of,
          node: 'n4',
          class: 'expected',
          bad: true,
          endpoint: peer.endpoint,
          why: 'no allowed-ip for 10.42.4.0/24',
        },
      ],
    },
  ])
})

t.test('status: attachments of pods, the default network left out, and what is missing', async t => {
  const counts: unknown[] = []
  const board = createAttachmentBoard(each => counts.push(each))
  t.strictSame(read(board.section).seen.attachments, { attached: 0, missing: 0, pods: [] })
  board.show('team/p2', undefined, ['network late: there is none'])
  board.show('team/p1', recordOf([primary(), attached('team/green', green)]), [])
  board.show('team/plain', recordOf([primary()]), [])
  const p1 = {
    pod: 'team/p1',
    networks: [{ name: 'team/green', interface: green, ips: ['192.168.42.10'], mac: '02:00:00:00:00:02' }],
    problems: [],
  }
  const p2 = { pod: 'team/p2', networks: [], problems: ['network late: there is none'] }
  t.strictSame(read(board.section).seen.attachments, { attached: 1, missing: 1, pods: [p1, p2] })
  board.forget('team/p1')
  board.show('team/p2', recordOf([primary()]), [])
  t.strictSame(read(board.section).seen.attachments?.pods, [])
  t.strictSame(counts.at(-1), { attached: 0, missing: 0 })
})

t.test('status: Events, the newest first, repeats counted, no more than fifty', async t => {
  let nowMs = 0
  const { add, section } = createJournal(() => nowMs)
  const node = nodeRef({ name: 'n1', uid: 'u1' })
  const failed = { type: 'Warning', reason: 'NetworkFailed', note: 'dns' } as const
  add(node, failed)
  nowMs = 5_000
  add(
    { apiVersion: 'v1', kind: 'Pod', namespace: 'team', name: 'p1', uid: 'u2' },
    { ...failed, note: 'x'.repeat(2000) },
  )
  add(node, failed)
  const { events } = read(section).seen
  t.match(events, [
    { time: '1970-01-01T00:00:05.000Z', about: 'Node n1', count: 2 },
    { about: 'Pod team/p1', count: 1, type: 'Warning', note: /^x{500}$/ },
  ])
  for (let at = 0; at < 60; at++) add(node, { ...failed, note: `${at}` })
  t.equal(read(section).seen.events?.length, 50)
  t.equal(read(section).seen.events?.[0]?.note, '59')
})

const answers: readonly (readonly [
  name: string,
  codes: readonly string[],
  answers: boolean | null,
  last: string | null,
])[] = [
  ['before anything was asked', [], null, null],
  ['an answer', ['200'], true, '1970-01-01T00:00:01.000Z'],
  ['a refusal is an answer', ['403'], true, '1970-01-01T00:00:01.000Z'],
  ['one question that went astray', ['200', 'TimedOut'], true, '1970-01-01T00:00:01.000Z'],
  ['two', ['200', 'TimedOut', 'Unreachable'], false, '1970-01-01T00:00:01.000Z'],
  ['a balancer before a server that is down', ['503', '502'], false, null],
  ['back again', ['Unreachable', 'Unreachable', '200'], true, '1970-01-01T00:00:03.000Z'],
]

for (const [name, codes, expected, last] of answers) {
  t.test(`status: whether the API answers: ${name}`, async t => {
    let nowMs = 0
    const { heard, section } = createContact(() => nowMs)
    for (const code of codes) {
      nowMs += 1_000
      heard({ code })
    }
    t.match(read(section).seen.api, { answers: expected, lastAnswer: last })
  })
}

t.test('status: who leads', async t => {
  const leadership = createLeadership(createMetrics())
  t.match(read(leadership.section).seen, { leader: 'unknown', holder: '' })
  leadership.show('standby', 'n2_1234')
  t.match(read(leadership.section).seen, {
    leader: 'standby',
    holder: 'n2_1234',
    facts: [{ text: 'stands by: n2_1234 leads' }],
  })
  leadership.show('leading', 'n1_5678')
  t.match(read(leadership.section).seen, { leader: 'leading', holder: 'n1_5678' })
})

t.test('status: every node, how it is and why', async t => {
  const heartbeatMs = 30_000
  const condition = {
    type: 'x/Ready',
    status: 'False',
    reason: 'NXDomain',
    message: 'dns',
    transitionMs: 1,
    heartbeatMs,
  }
  const nodes = new Map([
    ['n2', nodeNamed('n2')],
    ['n1', { ...nodeNamed('n1'), conditions: [condition] }],
  ])
  const board = createRemedyBoard(true, 'x/Ready')
  t.equal(read(board.section).seen.fleet, null)
  const states = new Map([
    ['n2', 'verified'],
    ['n1', 'failed'],
    ['gone', 'failed'],
  ] as const)
  board.show({ actions: [], againMs: undefined, states, held: undefined }, [], nodes)
  t.strictSame(read(board.section).document['fleet' as keyof object], [
    { name: 'n1', state: 'failed', reason: 'NXDomain', message: 'dns', heard: '1970-01-01T00:00:30.000Z' },
    { name: 'n2', state: 'verified', reason: '', heard: null },
  ])
  t.equal(read(board.section).seen.fleet?.length, 2)
  board.clear()
  t.equal(read(board.section).seen.fleet, null)
})

t.test('status: egress rules and their effect', async t => {
  const board = createEgressBoard()
  const held = {
    action: 'delete',
    network: 'lab',
    node: null,
    index: 0,
    range: '10.9.0.0/24',
    id: 'x',
    reason: 'Cap',
  } as const
  const networks = [{ network: 'lab', wanted: 3, present: 2, held: 1 }]
  board.show({ cluster: '', actions: [], held: [held], unmatched: [{ node: 'n7', reason: 'NoHost' }], networks }, 1_000)
  const missing = {
    node: 'n1',
    network: 'lab',
    range: '10.1.0.0/24',
    missingAt: ['n2', 'n3'],
    cause: 'DuplicateRange',
  } as const
  board.showEffects([missing])
  t.strictSame(read(board.section).seen.egressRules, {
    time: '1970-01-01T00:00:01.000Z',
    networks: [{ network: 'lab', wanted: 3, present: 2, held: 1, noEffect: 1 }],
    held: [{ network: 'lab', node: null, range: '10.9.0.0/24', reason: 'Cap' }],
    unmatched: [{ node: 'n7', reason: 'NoHost' }],
    noEffect: [{ network: 'lab', node: 'n1', range: '10.1.0.0/24', missingAt: 2, cause: 'DuplicateRange' }],
  })
  board.fail('no login')
  t.equal(read(board.section).seen.egressError, 'no login')
  board.clear()
  t.match(read(board.section).seen, { egressRules: null, egressError: null })
})

t.test('status: verdict, gate and pool are as the page reads them', async t => {
  const marks = {
    taint: { key: 'a/b', value: 'true', effect: 'NoSchedule' },
    label: { key: 'c/d', value: 'true' },
  } as const
  const pool = createPoolBoard('blue')
  const own = nodeNamed('n1')
  const { seen } = read(
    createVerdictStatus(() => ({ verdict: failedVerdict, timeMs: 0 })),
    createGateStatus(marks, () => own),
    pool.section,
  )
  t.match(seen, {
    verdict: failedVerdict,
    verdictTime: '1970-01-01T00:00:00.000Z',
    gate: { tainted: false },
    pool: null,
  })
  const look = { version: 'cilium.io/v2', live: undefined, plan: undefined, problems: ['refused'] }
  pool.show(look as never)
  t.match(read(pool.section).seen.pool, { pool: 'blue', current: [], desired: [], held: [], problems: ['refused'] })
})
