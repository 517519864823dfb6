import t from 'tap'
import type { Endpoint, VerifySettings } from '../../../../agent/config/settings.ts'
import { CheckFault } from '../../../../agent/verify/check.ts'
import { createTcpCheck } from '../../../../agent/verify/tcp-check.ts'
import { createFakeKube } from './fake-kube.ts'
import { runFromHost, summarize } from './run-check.ts'

interface TcpCase {
  readonly name: string
  readonly families?: VerifySettings['ipFamilies']
  readonly apiService?: Endpoint
  /** Addresses of Service default/kubernetes; `null` = it cannot be read; absent = no cluster. */
  readonly service?: readonly string[] | null
  readonly endpoints?: readonly Endpoint[]
  /** Addresses by host name. */
  readonly hosts?: Readonly<Record<string, readonly string[]>>
  /** How a dial ends, by address; it connects unless told. */
  readonly dials?: Readonly<Record<string, 'Refused' | 'Unreachable' | 'hangs'>>
  readonly want: readonly string[]
}

const both = ['10.96.0.1', 'fd00::1']
const api = { host: '10.96.0.1', port: 443 }
const own = (host: string, port = 80): readonly Endpoint[] => [{ host, port }]
const v4 = '10.96.0.1:443 (Service default/kubernetes)'
const v6 = '[fd00::1]:443 (Service default/kubernetes)'

const cases: readonly TcpCase[] = [
  { name: 'the address kubelet tells', apiService: api, service: ['10.96.0.99'], want: ['tcp pass: 10.96.0.1:443'] },
  { name: 'refused', apiService: api, dials: { '10.96.0.1': 'Refused' }, want: ['tcp fail Refused: 10.96.0.1:443'] },
  {
    name: 'unreachable',
    apiService: api,
    dials: { '10.96.0.1': 'Unreachable' },
    want: ['tcp fail Unreachable: 10.96.0.1:443'],
  },
  { name: 'silent', apiService: api, dials: { '10.96.0.1': 'hangs' }, want: ['tcp fail TimedOut: 10.96.0.1:443'] },
  { name: 'outside a pod the Service is read', service: ['10.96.0.1'], want: [`tcp pass: ${v4}`] },
  { name: 'no cluster', want: ['tcp skip NoCluster: Service default/kubernetes'] },
  {
    name: 'no cluster, but an endpoint',
    endpoints: own('192.0.2.1'),
    want: ['tcp skip NoCluster: Service default/kubernetes', 'tcp pass: 192.0.2.1:80'],
  },
  {
    name: 'the Service cannot be read',
    service: null,
    want: ['tcp skip DependencyFailed: Service default/kubernetes'],
  },
  { name: 'a headless Service', service: [], want: ['tcp skip NoClusterAddress: Service default/kubernetes'] },
  { name: 'two families', service: both, want: [`tcp pass: ${v4}`, `tcp pass: ${v6}`] },
  {
    name: 'any: one dead family warns',
    families: 'any',
    service: both,
    dials: { '10.96.0.1': 'Refused' },
    want: [`tcp warn Refused: ${v4}`, `tcp pass: ${v6}`],
  },
  {
    name: 'any: both dead',
    families: 'any',
    service: both,
    dials: { '10.96.0.1': 'Refused', 'fd00::1': 'Unreachable' },
    want: [`tcp fail Refused: ${v4}`, `tcp fail Unreachable: ${v6}`],
  },
  {
    name: 'all: one dead family fails',
    families: 'all',
    service: both,
    dials: { 'fd00::1': 'hangs' },
    want: [`tcp pass: ${v4}`, `tcp fail TimedOut: ${v6}`],
  },
  {
    name: 'primary: the second family warns',
    families: 'primary',
    service: both,
    dials: { 'fd00::1': 'Refused' },
    want: [`tcp pass: ${v4}`, `tcp warn Refused: ${v6}`],
  },
  {
    name: 'primary: the first family fails',
    families: 'primary',
    service: both,
    dials: { '10.96.0.1': 'Refused' },
    want: [`tcp fail Refused: ${v4}`, `tcp pass: ${v6}`],
  },
  {
    name: 'one destination does not excuse another',
    apiService: api,
    endpoints: own('192.0.2.1'),
    dials: { '192.0.2.1': 'Refused' },
    want: ['tcp pass: 10.96.0.1:443', 'tcp fail Refused: 192.0.2.1:80'],
  },
  {
    name: 'a name with two addresses of one family',
    apiService: api,
    endpoints: own('db.test'),
    hosts: { 'db.test': ['192.0.2.1', '192.0.2.2'] },
    dials: { '192.0.2.1': 'Refused' },
    want: ['tcp pass: 10.96.0.1:443', 'tcp pass: 192.0.2.1:80, 192.0.2.2:80 (db.test)'],
  },
  {
    name: 'a name that does not resolve',
    apiService: api,
    endpoints: own('gone.test'),
    want: ['tcp pass: 10.96.0.1:443', 'tcp fail Unreachable: gone.test:80'],
  },
  {
    name: 'a name without addresses',
    apiService: api,
    endpoints: own('empty.test'),
    hosts: { 'empty.test': [] },
    want: ['tcp pass: 10.96.0.1:443', 'tcp fail Unreachable: empty.test:80'],
  },
]

for (const each of cases) {
  t.test(`TCP check: ${each.name}`, async t => {
    t.strictSame((await runFromHost(create(each))).map(summarize), each.want)
  })
}

function create(row: TcpCase) {
  return createTcpCheck({
    limitMs: 300,
    apiService: row.apiService,
    endpoints: row.endpoints ?? [],
    families: row.families ?? 'any',
    async readService() {
      if (row.service === null) throw new CheckFault('Forbidden', 'no rights')
      return { clusterIps: row.service ?? [], ports: [{ name: 'https', port: 443 }] }
    },
    ports: {
      kube: row.service === undefined ? undefined : createFakeKube({}),
      async resolveHost(host) {
        const addresses = row.hosts?.[host]
        if (addresses === undefined) throw new CheckFault('Unreachable', `${host} does not resolve`)
        return addresses
      },
      async dialTcp(address) {
        const end = row.dials?.[address]
        if (end === 'hangs') await new Promise(() => undefined)
        else if (end !== undefined) throw new CheckFault(end, `connect to ${address}: ${end}`)
      },
    },
  })
}
