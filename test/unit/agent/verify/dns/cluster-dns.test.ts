import t from 'tap'
import { createDnsCheck } from '../../../../../agent/verify/dns/check.ts'
import { type ClusterDns, domainOf, findClusterDns, reverseName } from '../../../../../agent/verify/dns/cluster-dns.ts'
import { parseResolvConf } from '../../../../../agent/verify/dns/resolv-conf.ts'
import { inDomain, isClusterName, planServers } from '../../../../../agent/verify/dns/server-plan.ts'
import { socketDns } from '../../../../../agent/verify/dns/transport.ts'
import * as dns from '../../../../fakes/dns-server.ts'
import { createFakeKube, type KubeReply, refuses } from '../fake-kube.ts'
import { runFromHost, summarize } from '../run-check.ts'

const listPath = 'GET /api/v1/namespaces/kube-system/services'
const service = (...clusterIPs: readonly string[]) => ({ spec: { clusterIP: clusterIPs[0], clusterIPs } })
const forCluster = 'nameserver 127.0.0.1\nsearch default.svc.corp.test svc.corp.test corp.test\noptions ndots:5'
const own = 'nameserver 127.0.0.1\nsearch corp.example'

/** Knows where the cluster's DNS is, and the name of the API's address. */
const clusterServer: dns.DnsScript = asked => {
  if (asked.name === 'kube-dns.kube-system.svc.corp.test') return [dns.answer(asked, { A: ['10.96.0.10'] })]
  if (asked.type !== 'PTR') return [dns.rcode(asked, 'NXDOMAIN')]
  return [dns.records(asked, [{ type: 'PTR', name: asked.name, data: 'kubernetes.default.svc.corp.test', ttl: 5 }])]
}

interface FindCase {
  readonly name: string
  /** What the settings or kubelet say. */
  readonly told?: ClusterDns
  readonly conf: string
  readonly script?: dns.DnsScript
  readonly list?: KubeReply
  readonly want: ClusterDns
  /** Requests to the API. */
  readonly requests: number
}

const cases: readonly FindCase[] = [
  {
    name: "the node's resolver is the cluster's: it knows all, and the API is not asked",
    conf: forCluster,
    want: { domain: 'corp.test', servers: ['10.96.0.10'] },
    requests: 0,
  },
  {
    name: 'somebody has said it: nobody is asked for it',
    conf: forCluster,
    told: { domain: undefined, servers: ['169.254.20.10'] },
    want: { domain: 'corp.test', servers: ['169.254.20.10'] },
    requests: 0,
  },
  {
    name: 'somebody has said it, on a node with a resolver of its own: the domain is that of kubelet',
    conf: own,
    told: { domain: 'kubelet.test', servers: ['169.254.20.10'] },
    want: { domain: 'kubelet.test', servers: ['169.254.20.10'] },
    requests: 0,
  },
  {
    name: 'somebody has said the servers alone: they know the domain',
    conf: own,
    told: { domain: undefined, servers: ['127.0.0.1'] },
    want: { domain: 'corp.test', servers: ['127.0.0.1'] },
    requests: 0,
  },
  {
    name: 'only the domain is known: the Service has the servers',
    conf: own,
    told: { domain: 'kubelet.test', servers: [] },
    list: () => ({ items: [service('10.96.0.53')] }),
    want: { domain: 'kubelet.test', servers: ['10.96.0.53'] },
    requests: 1,
  },
  {
    name: 'its Service has another name: the API knows it by its label',
    conf: forCluster,
    script: asked => [dns.rcode(asked, 'NXDOMAIN')],
    list: () => ({ items: [service('10.96.0.53', 'fd00::53')] }),
    want: { domain: 'corp.test', servers: ['10.96.0.53', 'fd00::53'] },
    requests: 1,
  },
  {
    name: "the node's own resolver: the API knows the servers, and they know the domain",
    conf: own,
    list: () => ({ items: [service('127.0.0.1')] }),
    want: { domain: 'corp.test', servers: ['127.0.0.1'] },
    requests: 1,
  },
  {
    name: 'no such Service',
    conf: own,
    list: () => ({ items: [] }),
    want: { domain: undefined, servers: [] },
    requests: 1,
  },
  { name: 'no rights', conf: own, list: refuses('Forbidden'), want: { domain: undefined, servers: [] }, requests: 1 },
  { name: 'junk', conf: own, list: () => 'x', want: { domain: undefined, servers: [] }, requests: 1 },
  {
    name: 'a headless Service has no address',
    conf: own,
    list: () => ({ items: [service('None')] }),
    want: { domain: undefined, servers: [] },
    requests: 1,
  },
]

for (const row of cases) {
  t.test(`cluster DNS: ${row.name}`, async t => {
    const server = await dns.startDnsServer({ script: row.script ?? clusterServer })
    t.teardown(() => server.stop())
    const kube = createFakeKube({
      ...(row.list && { [listPath]: row.list }),
    })
    const conf = parseResolvConf(row.conf)
    const found = await findClusterDns(
      {
        conf,
        port: server.port,
        dns: socketDns,
        kube,
        apiAddress: '10.96.0.1',
        limitMs: 500,
        told: async () => row.told ?? { domain: undefined, servers: [] },
      },
      new AbortController().signal,
    )
    t.strictSame(found, row.want)
    t.equal(kube.requests.length, row.requests)
  })
}

t.test('names of addresses and domains', t => {
  t.equal(reverseName('10.96.0.1'), '1.0.96.10.in-addr.arpa')
  for (const none of [undefined, '', 'kubernetes', 'fd00::1']) t.equal(reverseName(none), undefined)
  t.equal(domainOf({ search: ['x', 'svc.a.b'] }), 'a.b')
  t.equal(domainOf({ search: ['svcx.a'] }), undefined)
  const corp = { domain: 'corp.test' }
  t.equal(inDomain('kubernetes.default.svc.cluster.local', corp), 'kubernetes.default.svc.corp.test')
  t.equal(inDomain('kubernetes.default.svc.cluster.local.', corp), 'kubernetes.default.svc.corp.test.')
  t.equal(inDomain('example.com', corp), 'example.com')
  t.equal(inDomain('a.svc.cluster.local', { domain: undefined }), 'a.svc.cluster.local')
  for (const name of ['a.b.svc.corp.test', 'a.corp.test.', 'kubernetes.default.svc'])
    t.ok(isClusterName(name, corp), name)
  for (const name of ['example.com', 'corp.test', 'notcorp.test']) t.notOk(isClusterName(name, corp), name)
  t.end()
})

interface PlanCase {
  readonly name: string
  readonly conf: string
  readonly cluster: ClusterDns
  /** Whether there is a cluster; true unless told. */
  readonly inCluster?: boolean
  readonly host: readonly string[]
  readonly sandbox: readonly string[]
}

const cluster: ClusterDns = { domain: 'corp.test', servers: ['10.96.0.10'] }
const unknown: ClusterDns = { domain: undefined, servers: [] }

const plans: readonly PlanCase[] = [
  {
    name: "the cluster's resolv.conf",
    conf: 'nameserver 10.96.0.10\nsearch svc.corp.test',
    cluster,
    host: ['10.96.0.10 resolv.conf knows'],
    sandbox: ['10.96.0.10 resolv.conf knows'],
  },
  {
    name: 'a cache on the node before it',
    conf: 'nameserver 169.254.20.10\nsearch svc.corp.test',
    cluster,
    host: ['169.254.20.10 resolv.conf knows', '10.96.0.10 cluster knows'],
    sandbox: ['169.254.20.10 resolv.conf knows', '10.96.0.10 cluster knows'],
  },
  {
    name: "the node's own",
    conf: 'nameserver 127.0.0.53\nnameserver 192.0.2.1',
    cluster,
    host: ['127.0.0.53 resolv.conf', '192.0.2.1 resolv.conf', '10.96.0.10 cluster knows'],
    sandbox: ['10.96.0.10 cluster knows'],
  },
  {
    name: "the node's own, and nothing is known of the cluster's",
    conf: 'nameserver 127.0.0.53\nnameserver 192.0.2.1',
    cluster: unknown,
    host: ['127.0.0.53 resolv.conf knows', '192.0.2.1 resolv.conf knows'],
    sandbox: ['192.0.2.1 resolv.conf knows'],
  },
  {
    name: "no cluster: nobody's resolver knows its names",
    conf: 'nameserver 127.0.0.53\nnameserver 192.0.2.1',
    cluster: unknown,
    inCluster: false,
    host: ['127.0.0.53 resolv.conf', '192.0.2.1 resolv.conf'],
    sandbox: ['192.0.2.1 resolv.conf'],
  },
  {
    name: 'no credentials, but a resolv.conf made for a cluster',
    conf: 'nameserver 192.0.2.1\nsearch svc.corp.test',
    cluster: unknown,
    inCluster: false,
    host: ['192.0.2.1 resolv.conf knows'],
    sandbox: ['192.0.2.1 resolv.conf knows'],
  },
  { name: 'loopback alone', conf: '', cluster: unknown, host: ['127.0.0.1 resolv.conf knows'], sandbox: [] },
]

for (const row of plans) {
  t.test(`servers to ask: ${row.name}`, t => {
    for (const from of ['host', 'sandbox'] as const) {
      const place = { from, inCluster: row.inCluster ?? true }
      const planned = planServers(parseResolvConf(row.conf), row.cluster, place)
      t.strictSame(
        planned.map(each => [each.address, each.list, ...(each.knowsCluster ? ['knows'] : [])].join(' ')),
        row[from],
        from,
      )
    }
    t.end()
  })
}

t.test("the cluster's names are asked where they must be known, spelt as this cluster spells them", async t => {
  const knows = (name: string) => (asked: dns.Asked) =>
    asked.name === name ? [dns.answer(asked, { A: ['192.0.2.7'] })] : [dns.rcode(asked, 'NXDOMAIN')]
  const servers = await dns.startDnsServers([knows('example.com'), knows('kubernetes.default.svc.corp.test')])
  t.teardown(() => Promise.all(servers.map(server => server.stop())))
  const check = createDnsCheck({
    names: ['kubernetes.default.svc.cluster.local', 'kubernetes', 'example.com'],
    limitMs: 1000,
    port: servers[0]?.port ?? 9,
    ports: { dns: socketDns, readResolvConf: async () => 'nameserver 127.0.0.1' },
    findCluster: async () => ({ domain: 'corp.test', servers: ['127.0.0.2'] }),
  })
  const results = await runFromHost(check)
  t.strictSame(
    results.map(summarize).filter(line => !line.endsWith('tcp')),
    [
      'dns skip NotForCluster: kubernetes.default.svc.corp.test @127.0.0.1',
      'dns pass: kubernetes.default.svc.corp.test @127.0.0.2 A',
      'dns fail NXDomain: kubernetes @127.0.0.1 A,AAAA',
      'dns pass: kubernetes @127.0.0.2 A',
      'dns pass: example.com @127.0.0.1 A',
      'dns fail NXDomain: example.com @127.0.0.2 A,AAAA',
    ],
  )
})

t.test("a sandbox does not see the host's loopback", async t => {
  const check = createDnsCheck({
    names: ['x.test'],
    limitMs: 100,
    from: 'sandbox',
    ports: { dns: socketDns, readResolvConf: async () => 'nameserver 127.0.0.53' },
  })
  t.strictSame((await runFromHost(check)).map(summarize), ['dns skip NoNameServer: resolv.conf'])
})

t.test("without a cluster its names are skipped, and the host's resolver is not asked for them", async t => {
  const asked: string[] = []
  const [server] = await dns.startDnsServers([
    question => {
      asked.push(question.name)
      return [dns.answer(question, { A: ['192.0.2.7'] })]
    },
  ])
  t.teardown(() => server?.stop())
  const check = createDnsCheck({
    names: ['kubernetes.default.svc.cluster.local', 'example.com'],
    limitMs: 1000,
    inCluster: false,
    port: server?.port ?? 9,
    ports: { dns: socketDns, readResolvConf: async () => 'nameserver 127.0.0.1' },
  })
  const results = (await runFromHost(check)).map(summarize).filter(line => !line.endsWith('tcp'))
  t.strictSame(results, [
    'dns skip NoCluster: kubernetes.default.svc.cluster.local @127.0.0.1',
    'dns pass: example.com @127.0.0.1 A',
  ])
  t.strictSame([...new Set(asked)], ['example.com'])
})
