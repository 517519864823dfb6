import t from 'tap'
import type { KubeApi } from '../../../../agent/kube/api.ts'
import { CheckFault } from '../../../../agent/verify/check.ts'
import { createChecks } from '../../../../agent/verify/checks.ts'
import { socketDns } from '../../../../agent/verify/dns/transport.ts'
import { shareReads } from '../../../../agent/verify/shared-reads.ts'
import {
  createFakeKube,
  endpointSlices,
  type KubeReply,
  kubernetesService,
  refuses,
  servicePath,
  slicesPath,
} from './fake-kube.ts'
import { runFromHost, summarize } from './run-check.ts'

interface ServicesCase {
  readonly name: string
  readonly service?: KubeReply
  readonly slices?: KubeReply
  /** Addresses that refuse. */
  readonly dead?: readonly string[]
  readonly want: readonly string[]
}

const service = 'Service default/kubernetes'
const slices = 'EndpointSlices of default/kubernetes'
const exists = `services pass: ${service}`
const one = endpointSlices(['192.0.2.1', 6443])
const two = endpointSlices(['192.0.2.1', 6443], ['192.0.2.2', 6443])

const cases: readonly ServicesCase[] = [
  { name: 'all agree', want: [exists, `services pass: ${slices}`, 'services pass: 192.0.2.1:6443'] },
  { name: 'no Service', service: refuses('NotFound'), want: [`services fail NoService: ${service}`] },
  {
    name: 'no right to read the Service',
    service: refuses('Forbidden'),
    want: ['services skip DependencyFailed: service discovery'],
  },
  {
    name: 'a Service that is none',
    service: () => ({ spec: { ports: 'many' } }),
    want: ['services skip DependencyFailed: service discovery'],
  },
  { name: 'no slices', slices: () => ({ items: [] }), want: [exists, `services fail NoEndpoints: ${slices}`] },
  {
    name: 'a slice without endpoints',
    slices: () => ({ items: [{ endpoints: null, ports: null }] }),
    want: [exists, `services fail NoEndpoints: ${slices}`],
  },
  {
    name: 'none ready',
    slices: () => endpointSlices(['192.0.2.1', 6443, false]),
    want: [exists, `services fail NoEndpoints: ${slices}`],
  },
  {
    name: 'readiness not known counts as ready',
    slices: () => ({
      items: [
        {
          endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: null } }],
          ports: [{ name: 'https', port: 6443 }],
        },
      ],
    }),
    want: [exists, `services pass: ${slices}`, 'services pass: 192.0.2.1:6443'],
  },
  {
    name: 'no port of the Service',
    slices: () => ({ items: [{ endpoints: [{ addresses: ['192.0.2.1'] }], ports: [{ name: 'metrics', port: 9 }] }] }),
    want: [exists, `services fail EndpointsDisagree: ${slices}`],
  },
  {
    name: 'no list of slices',
    slices: () => ({ items: [{ endpoints: 3 }] }),
    want: [exists, `services fail BadReply: ${slices}`],
  },
  {
    name: 'no right to list slices',
    slices: refuses('Forbidden'),
    want: [exists, `services fail Forbidden: ${slices}`],
  },
  {
    name: 'the one endpoint is dead',
    dead: ['192.0.2.1'],
    want: [exists, `services pass: ${slices}`, 'services fail EndpointsDisagree: 192.0.2.1:6443'],
  },
  {
    name: 'one of two endpoints is dead',
    slices: () => two,
    dead: ['192.0.2.1'],
    want: [
      exists,
      `services pass: ${slices}`,
      'services warn EndpointsDisagree: 192.0.2.1:6443',
      'services pass: 192.0.2.2:6443',
    ],
  },
  {
    name: 'both endpoints are dead',
    slices: () => two,
    dead: ['192.0.2.1', '192.0.2.2'],
    want: [
      exists,
      `services pass: ${slices}`,
      'services fail EndpointsDisagree: 192.0.2.1:6443',
      'services fail EndpointsDisagree: 192.0.2.2:6443',
    ],
  },
]

for (const row of cases) {
  t.test(`service discovery: ${row.name}`, async t => {
    const kube = createFakeKube({
      [servicePath]: row.service ?? (() => kubernetesService()),
      [slicesPath]: row.slices ?? (() => one),
    })
    const results = await runFromHost(
      ...create(kube, row.dead ?? []).filter(({ code }) => code === 'services' || code === 'api'),
    )
    t.strictSame(results.filter(({ code }) => code === 'services').map(summarize), row.want)
  })
}

t.test('service discovery: it waits for the API and is skipped where that fails', async t => {
  const kube = createFakeKube({ [servicePath]: refuses('Unauthorized') })
  const checks = create(kube, []).filter(({ code }) => code === 'services' || code === 'api')
  t.strictSame((await runFromHost(...checks)).map(summarize), [
    'api fail Unauthorized: https://192.0.2.1:6443',
    'services skip DependencyFailed: service discovery',
  ])
  t.equal(kube.requests.length, 1)
})

t.test('the checks of a node ask the API twice where a run shares its reads', async t => {
  const kube = createFakeKube({
    [servicePath]: () => new Promise(resolve => setImmediate(resolve, kubernetesService())),
    [slicesPath]: () => one,
  })
  const results = await runFromHost(...create(shareReads(kube).api, []))
  t.strictSame(
    results.filter(({ result, code }) => result !== 'pass' && code !== 'peers' && code !== 'mtu'),
    [],
  )
  t.strictSame(
    kube.requests.map(({ method, path }) => `${method} ${path}`).filter(each => !each.includes('kube-system')),
    [servicePath, slicesPath],
  )
})

t.test('slices are asked for by the Service they belong to', async t => {
  const kube = createFakeKube({
    [servicePath]: () => kubernetesService(),
    [slicesPath]: () => one,
  })
  await runFromHost(...create(kube, []))
  const list = kube.requests.find(({ path }) => path.endsWith('/endpointslices'))
  t.strictSame(list?.query, { labelSelector: 'kubernetes.io/service-name=kubernetes' })
})

function create(kube: KubeApi, dead: readonly string[]) {
  return createChecks({
    from: 'host',
    node: 'n1',
    settings: { dnsDomains: [], checkTimeoutMs: 300, tcp: [], ipFamilies: 'any', podPath: true },
    apiService: undefined,
    ports: {
      kube,
      dns: socketDns,
      readResolvConf: async () => '',
      resolveHost: async () => [],
      peers: { echo: async () => undefined, mtuTowards: async () => undefined },
      pods: { connect: async () => undefined, send: async () => undefined },
      findPeers: async () => [],
      async dialTcp(address) {
        if (dead.includes(address)) throw new CheckFault('Refused', 'connect: ECONNREFUSED')
      },
    },
  })
}
