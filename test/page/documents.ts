/** Documents of `/status.json` in the states that the page is looked at in. */

const time = '2026-01-15T12:00:00.000Z'
const ago = (seconds: number) => new Date(Date.parse(time) - seconds * 1000).toISOString()

/** What strangers can give as names and messages. */
export const hostile = '<script>document.title="owned"</script><img src=x onerror="document.title=\'owned\'">"\'&\u202e'

interface Answer {
  readonly code: string
  readonly from: string
  readonly target: string
  readonly result: string
  readonly seconds: number
  readonly reason?: string
  readonly message: string
}

const answer = (code: string, target: string, seconds: number, more: Partial<Answer> = {}): Answer => ({
  code,
  from: 'host',
  target,
  result: 'pass',
  seconds,
  message: '',
  ...more,
})

const hostAnswers: readonly Answer[] = [
  answer('dns', 'example.com @10.96.0.10 A,AAAA', 0.012),
  answer('dns', 'kubernetes.default.svc.cluster.local @10.96.0.10 A', 0.004),
  answer('api', 'https://10.96.0.1:443', 0.019),
  answer('tcp', '10.96.0.1:443 (Service default/kubernetes)', 0.001),
  answer('services', 'Service default/kubernetes', 0.006),
  answer('wireguard', 'nm-lab', 0.003),
  answer('egress', '10.42.1.0/24', 0),
  answer('peers', 'n2 203.0.113.2', 0.021),
  answer('peers', 'n3 203.0.113.3', 0.034),
  answer('mtu', 'n2 203.0.113.2', 0.022),
]
const sandboxAnswers = [
  answer('dns', 'example.com @10.96.0.10 A,AAAA', 0.015),
  answer('api', 'https://10.96.0.1:443', 0.024),
  answer('tcp', '10.96.0.1:443 (Service default/kubernetes)', 0.002),
  answer('pods', 'n2 10.42.2.9', 0.031),
  answer('pods', 'n3 10.42.3.9', 0.029),
].map(each => ({ ...each, from: 'sandbox' }))

const verdictOf = (checks: readonly Answer[]) => ({
  node: 'worker-fsn1-01',
  passed: !checks.some(({ result }) => result === 'fail'),
  dryRun: false,
  seconds: 0.8,
  checks,
})

const link = (node: string | null, handshakeAge: number | null, more: object = {}) => ({
  node,
  publicKey: 'fE0jq3mA',
  class: 'expected',
  handshakeAge,
  bad: false,
  ...more,
})

const event = (seconds: number, reason: string, note: string, more: object = {}) => ({
  time: ago(seconds),
  type: 'Normal',
  reason,
  about: 'Node worker-fsn1-01',
  note,
  count: 1,
  ...more,
})

const mesh = (...links: readonly object[]) => ({ devices: [{ name: 'nm-lab', readable: true, links }] })

const facts = [
  { name: 'Kubernetes API', text: `answers, last at ${ago(2)}` },
  { name: 'CNI', text: 'kactus wraps network cilium of 05-cilium.conflist' },
  { name: 'taint', text: 'not tainted, labelled as verified' },
  { name: 'mesh', text: 'nm-lab: 3 expected' },
  { name: 'egress', text: 'allowed at 3 of 3 other nodes' },
  { name: 'standing sandbox', text: '10.42.1.9' },
]

export const well = {
  node: 'worker-fsn1-01',
  version: '0.1.0',
  startTime: ago(93_000),
  time,
  facts,
  missing: [],
  problems: [],
  api: { answers: true, lastAnswer: ago(2), failure: null },
  verdict: verdictOf([...hostAnswers, ...sandboxAnswers]),
  verdictTime: ago(12),
  gate: { tainted: false },
  wireguard: mesh(
    link('worker-fsn1-02', 41),
    link('worker-nbg1-03', 87, { class: 'lan' }),
    link('control-hel1-01', 12),
    link(null, 3_700, { class: 'unknown' }),
  ),
  attachments: {
    attached: 3,
    missing: 0,
    pods: [
      {
        pod: 'shop/app1-6d5f9c7b8-x2lqv',
        networks: [
          { name: 'default/green', interface: 'net9f27410725ab', ips: ['192.168.42.10'], mac: '02:00:00:00:00:2a' },
          { name: 'default/blue', interface: 'net48d6215903df', ips: ['192.168.43.7'] },
        ],
        problems: [],
      },
      { pod: 'shop/app2-0', networks: [{ name: 'shop/camera', interface: 'net1', ips: ['10.9.0.4'] }], problems: [] },
    ],
  },
  events: [
    event(340, 'AddedInterface', 'net9f27410725ab [192.168.42.10] on network default/green', {
      about: 'Pod shop/app1-6d5f9c7b8-x2lqv',
    }),
    event(
      92_400,
      'EndpointHealed',
      'the WireGuard endpoint of worker-nbg1-03 on nm-lab was put right and has proved to work',
    ),
    event(92_990, 'TaintLifted', 'node-ready/unverified=true:NoSchedule'),
    event(92_991, 'NetworkVerified', 'every check has passed'),
  ],
}

const leaked = {
  class: 'leaked',
  bad: true,
  endpoint: '10.42.3.17:51821',
  why: "an address of worker-nbg1-03's pods (10.42.3.0/24)",
}

export const leak = {
  ...well,
  verdict: verdictOf([
    ...hostAnswers.filter(({ code }) => code !== 'wireguard'),
    answer('wireguard', 'nm-lab worker-nbg1-03', 0.003, {
      result: 'fail',
      reason: 'LeakedEndpoint',
      message: "endpoint 10.42.3.17:51821 is an address of worker-nbg1-03's pods (10.42.3.0/24)",
    }),
    ...sandboxAnswers.map(each =>
      each.target.startsWith('n3')
        ? { ...each, result: 'warn', reason: 'PodsUnreachable', message: 'no answer by TCP within 5 s' }
        : each,
    ),
  ]),
  gate: { tainted: true },
  problems: ['the node failed its verification'],
  wireguard: mesh(
    link('worker-fsn1-02', 41),
    link('worker-nbg1-03', 214, leaked),
    link('control-hel1-01', 12),
    link(null, 3_700, { class: 'unknown' }),
  ),
  attachments: {
    ...well.attachments,
    missing: 1,
    pods: well.attachments.pods.map((pod, at) =>
      at === 1
        ? { ...pod, problems: ['network late, interface net8a1c: there is no Network late in namespace shop'] }
        : pod,
    ),
  },
  events: [
    event(9, 'TaintAdded', 'node-ready/unverified=true:NoSchedule', { type: 'Warning' }),
    event(11, 'NetworkFailed', 'wireguard: LeakedEndpoint', { type: 'Warning', count: 2 }),
    event(12, 'EndpointLeaked', 'the WireGuard endpoint of worker-nbg1-03 on nm-lab is wrong: leaked', {
      type: 'Warning',
    }),
    event(48, 'FailedAddingInterface', 'network late, interface net8a1c: there is no Network late in namespace shop', {
      type: 'Warning',
      about: 'Pod shop/app2-0',
      count: 5,
    }),
    ...well.events,
  ],
}

const silent = { result: 'fail', reason: 'TimedOut', message: 'no answer within 10 s' }

export const apiDown = {
  ...well,
  problems: ['the node failed its verification'],
  facts: [{ name: 'Kubernetes API', text: `does not answer (TimedOut), last at ${ago(412)}` }, ...facts.slice(1)],
  api: { answers: false, lastAnswer: ago(412), failure: 'TimedOut' },
  verdict: verdictOf(
    [...hostAnswers, ...sandboxAnswers].map(each => {
      if (each.code === 'api') return { ...each, ...silent, seconds: 10 }
      if (each.code !== 'services') return each
      return { ...each, result: 'skip', reason: 'DependencyFailed', message: 'needs the Kubernetes API' }
    }),
  ),
  verdictTime: ago(21),
}

/** A number between 0 and 1 for each whole one, the same ones each time, without any order. */
const spread = (at: number) => (Math.sin(at * 12.9898) * 43_758.5453) % 1
const many = Array.from(
  { length: 1_000 },
  (_, at) => `worker-${['fsn1', 'nbg1', 'hel1'][at % 3]}-${String(at).padStart(3, '0')}`,
)

export const thousand = {
  ...leak,
  wireguard: mesh(
    ...many.slice(1).map((name, at) => {
      if ([113, 480, 771].includes(at)) return link(name, 190 + at, leaked)
      if (at % 211 === 5) return link(name, null, { class: 'none' })
      return link(name, Math.round(Math.abs(spread(at)) * 1350) / 10, at % 5 === 0 ? { class: 'lan' } : {})
    }),
  ),
}

const leading = {
  node: 'leader',
  version: '0.1.0',
  startTime: ago(412_000),
  time,
  missing: [],
  problems: [],
  api: { answers: true, lastAnswer: ago(1), failure: null },
  leader: 'leading',
  holder: 'control-hel1-01_5f2c9a10',
  facts: [
    { name: 'Kubernetes API', text: `answers, last at ${ago(1)}` },
    { name: 'leader', text: 'leads' },
    { name: 'egress rules', text: 'every pod CIDR has its rule' },
    { name: 'pool covidnetes-pool', text: '4 addresses, 0 changes held back' },
  ],
  egressError: null,
}

const fleetNode = (name: string, state = 'verified', reason = 'Verified', message = '') => ({
  name,
  state,
  reason,
  ...(state === 'verified' ? {} : { message }),
  heard: ago(100),
})

export const leader = {
  ...leading,
  remedy: { on: true, workers: 0, held: null },
  fleet: ['control-hel1-01', 'worker-fsn1-01', 'worker-fsn1-02', 'worker-nbg1-03'].map(name => fleetNode(name)),
  egressRules: {
    time: ago(44),
    networks: [{ network: 'lab', wanted: 4, present: 4, held: 0, noEffect: 0 }],
    held: [],
    unmatched: [],
    noEffect: [],
  },
  pool: {
    pool: 'covidnetes-pool',
    current: ['203.0.113.1/32', '203.0.113.2/32', '203.0.113.3/32', '203.0.113.4/32'],
    desired: ['203.0.113.1/32', '203.0.113.2/32', '203.0.113.3/32', '203.0.113.4/32'],
    held: [],
    problems: [],
  },
  events: [event(5_000, 'EgressInEffect', 'every egress rule has come to all nodes that tell')],
}

const noEffect = {
  node: 'worker-nbg1-781',
  network: 'lab',
  range: '10.44.13.0/24',
  missingAt: 998,
  cause: 'DuplicateRange',
}

export const leaderThousand = {
  ...leader,
  remedy: { on: true, workers: 3, held: null },
  fleet: many.map((name, at) => {
    if ([113, 480, 771].includes(at))
      return fleetNode(name, 'failed', 'LeakedEndpoint', 'wireguard: LeakedEndpoint of nm-lab worker-nbg1-103')
    if (at === 52) return fleetNode(name, 'failed', 'NXDomain', 'dns: NXDomain of example.com @10.96.0.10')
    if (at % 97 === 3) return fleetNode(name, 'verifying', 'WorkerWanted', 'a worker pod is to prove the path of pods')
    return at % 211 === 9 ? fleetNode(name, 'unverified', '') : fleetNode(name)
  }),
  egressRules: {
    time: ago(44),
    networks: [
      { network: 'lab', wanted: 1_000, present: 998, held: 2, noEffect: 1 },
      { network: 'backup', wanted: 40, present: 40, held: 0, noEffect: 0 },
    ],
    held: [{ node: 'worker-fsn1-old', network: 'lab', range: '10.45.1.0/24', reason: 'Unconfirmed' }],
    unmatched: [{ node: 'worker-hel1-998', reason: 'NoHost' }],
    noEffect: [noEffect],
  },
  pool: {
    pool: 'covidnetes-pool',
    current: Array.from({ length: 80 }, (_, at) => `203.0.113.${at + 1}/32`),
    desired: Array.from({ length: 81 }, (_, at) => `203.0.113.${at + 2}/32`),
    held: [{ action: 'remove', block: '203.0.113.99/32', reason: 'InUse' }],
    problems: [],
  },
}

export const standby = {
  ...leading,
  leader: 'standby',
  holder: 'control-hel1-02_77aa01cc',
  facts: [{ name: 'leader', text: 'stands by: control-hel1-02_77aa01cc leads' }],
  events: [],
}
