import t from 'tap'
import { createGateMetrics } from '../../../../agent/gate/metrics.ts'
import { createKubeMetrics } from '../../../../agent/kube/metrics.ts'
import { createWorkerMetrics } from '../../../../agent/lookup/metrics.ts'
import { recordBuild } from '../../../../agent/report/build-metrics.ts'
import { createDutyMetrics } from '../../../../agent/runtime/duty-metrics.ts'
import { createMetrics } from '../../../../agent/runtime/metrics.ts'
import { createVerdictMetrics } from '../../../../agent/verify/metrics.ts'
import { result, verdict } from './fixtures.ts'

const good = verdict(
  result('dns', 'pass', 'x.test @192.0.2.53 A', 0.02),
  result('dns', 'warn', 'x.test @192.0.2.54 A,AAAA', 0.04),
  result('api', 'pass', 'https://192.0.2.1:6443', 0.03),
  result('tcp', 'pass', '10.96.0.1:443 (Service default/kubernetes)', 0.002),
  result('services', 'pass', 'Service default/kubernetes', 0.01),
)
const bad = verdict(
  result('dns', 'pass', 'x.test @192.0.2.53 A', 0.02),
  result('dns', 'fail', 'x.test @192.0.2.54 A', 0.5),
  result('api', 'fail', 'https://192.0.2.1:6443', 10),
  result('services', 'skip', 'service discovery', 0),
)

/** Everything that a node's agent measures. */
function create() {
  const metrics = createMetrics()
  recordBuild(metrics, '1.2.3')
  return {
    render: metrics.render,
    ...createVerdictMetrics(metrics, 'n1'),
    recordWorkers: createWorkerMetrics(metrics),
    recordDuty: createDutyMetrics(metrics),
    recordKubeRequest: createKubeMetrics(metrics),
    recordGateWrite: createGateMetrics(metrics, 'n1'),
  }
}

/** The values of some series, by name with labels; buckets left out. */
async function read(metrics: ReturnType<typeof create>, prefix: RegExp): Promise<Record<string, number>> {
  const lines = (await metrics.render()).split('\n').filter(line => !line.startsWith('#') && !line.includes('_bucket{'))
  const pairs = lines.map(line => line.split(/ (?=[^ ]+$)/)).filter(([name]) => name !== undefined && prefix.test(name))
  return Object.fromEntries(pairs.map(([name, value]) => [name, Number(value)]))
}

t.test('metrics: before the first verdict', async t => {
  const metrics = create()
  t.strictSame(await read(metrics, /^(nopal|node_check)_/), {
    'nopal_build_info{version="1.2.3"}': 1,
    'node_check_status{node="n1"}': 0,
    'node_check_failures_total{node="n1",check="dns"}': 0,
    'node_check_failures_total{node="n1",check="api"}': 0,
    'node_check_failures_total{node="n1",check="tcp"}': 0,
    'node_check_failures_total{node="n1",check="services"}': 0,
    'node_check_failures_total{node="n1",check="wireguard"}': 0,
    'node_check_failures_total{node="n1",check="mtu"}': 0,
    'node_check_failures_total{node="n1",check="peers"}': 0,
    'node_check_failures_total{node="n1",check="pods"}': 0,
    'node_check_failures_total{node="n1",check="egress"}': 0,
    'node_check_failures_total{node="n1",check="sandbox"}': 0,
  })
})

t.test('metrics: our own names', async t => {
  const metrics = create()
  metrics.recordVerdict(good, 0)
  metrics.recordVerdict(bad, 0)
  metrics.recordKubeRequest({ method: 'GET', code: '200' })
  metrics.recordKubeRequest({ method: 'GET', code: '200' })
  metrics.recordKubeRequest({ method: 'PATCH', code: 'TimedOut' })
  metrics.recordGateWrite({ taint: 'lift', ok: true, seconds: 0.1 })
  metrics.recordGateWrite({ taint: 'add', ok: false, seconds: 0.1 })
  t.strictSame(await read(metrics, /^nopal_(check_result|gate|kube)/), {
    'nopal_check_result{code="dns",from="host"}': 0,
    'nopal_check_result{code="api",from="host"}': 0,
    'nopal_gate_taint_writes_total{action="lift"}': 1,
    'nopal_kube_requests_total{verb="GET",code="200"}': 2,
    'nopal_kube_requests_total{verb="PATCH",code="TimedOut"}': 1,
  })
  t.strictSame(await read(metrics, /^nopal_check_duration_seconds_count/), {
    'nopal_check_duration_seconds_count{code="dns",from="host"}': 4,
    'nopal_check_duration_seconds_count{code="api",from="host"}': 2,
    'nopal_check_duration_seconds_count{code="tcp",from="host"}': 1,
    'nopal_check_duration_seconds_count{code="services",from="host"}': 1,
  })
})

t.test('metrics: a warning does not fail a check', async t => {
  const metrics = create()
  metrics.recordVerdict(good, 0)
  t.match(await read(metrics, /^nopal_check_result/), { 'nopal_check_result{code="dns",from="host"}': 1 })
})

t.test("metrics: the seed's names, node well", async t => {
  const metrics = create()
  metrics.recordVerdict(good, 1_234_567_890_000)
  metrics.recordGateWrite({ taint: 'lift', ok: true, seconds: 0.1 })
  t.match(await read(metrics, /./), {
    'node_check_status{node="n1"}': 1,
    'node_check_dns_duration_seconds{node="n1"}': 0.04,
    'node_check_api_duration_seconds{node="n1"}': 0.03,
    'node_check_completion_timestamp{node="n1"}': 1_234_567_890,
    'node_check_failures_total{node="n1",check="dns"}': 0,
    'kube_node_ready_build_info{version="1.2.3",commit_hash="",build_date=""}': 1,
    'kube_node_ready_verification_status{node="n1",status="verified"}': 1,
    'kube_node_ready_verification_status{node="n1",status="failed"}': 0,
    'kube_node_ready_verification_duration_seconds{node="n1"}': 1.25,
    'kube_node_ready_verifications_total{status="success"}': 1,
    'kube_node_ready_verification_attempts_total{node="n1",status="success"}': 1,
    'kube_node_ready_retry_attempts_total{node="n1"}': 0,
    'kube_node_ready_node_status{node="n1"}': 1,
    'kube_node_ready_dns_check_total{domain="x.test",status="success"}': 1,
    'kube_node_ready_network_check_total{address="10.96.0.1:443",status="success"}': 1,
    'kube_node_ready_kubernetes_check_total{check_type="api",status="success"}': 1,
    'kube_node_ready_kubernetes_check_total{check_type="service_discovery",status="success"}': 1,
    'kube_node_ready_node_taint_removal_total{node="n1",status="success"}': 1,
    'kube_node_ready_node_label_add_total{node="n1",status="success"}': 1,
    'kube_node_ready_node_update_duration_seconds_count{node="n1",operation="taint_removal"}': 1,
  })
})

t.test("metrics: the seed's names, node not well", async t => {
  const metrics = create()
  metrics.recordVerdict(bad, 0)
  metrics.recordRetry()
  metrics.recordGateWrite({ taint: 'lift', ok: false, seconds: 0.1 })
  const found = await read(metrics, /./)
  t.match(found, {
    'node_check_status{node="n1"}': 0,
    'node_check_failures_total{node="n1",check="dns"}': 1,
    'node_check_failures_total{node="n1",check="api"}': 1,
    'node_check_failures_total{node="n1",check="services"}': 0,
    'kube_node_ready_verification_status{node="n1",status="verified"}': 0,
    'kube_node_ready_verification_status{node="n1",status="failed"}': 1,
    'kube_node_ready_verifications_total{status="failed"}': 1,
    kube_node_ready_verification_retries_total: 1,
    'kube_node_ready_retry_attempts_total{node="n1"}': 1,
    'kube_node_ready_dns_check_total{domain="x.test",status="failure"}': 1,
    'kube_node_ready_kubernetes_check_total{check_type="api",status="failure"}': 1,
    'kube_node_ready_node_taint_removal_total{node="n1",status="failure"}': 1,
  })
  t.notOk(
    Object.keys(found).some(name => name.includes('service_discovery')),
    'a skipped check is not counted',
  )
})

t.test('metrics: every series has a name and a help text as the field wants them', async t => {
  const text = await create().render()
  const helps = text.match(/^# HELP (\S+) .+\.$/gm) ?? []
  t.equal(helps.length, (text.match(/^# TYPE /gm) ?? []).length)
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    t.match(name, /^(nopal|kube_node_ready|node_check)_[a-z_]+$/)
    t.equal(name?.endsWith('_total'), type === 'counter', `${name} is a ${type}`)
  }
})

t.test('metrics: the agent is well while none of its duties fails', async t => {
  const metrics = create()
  t.strictSame(await readHealth(metrics), { healthy: 1, errors: 0 })
  metrics.recordDuty('gate', false)
  metrics.recordDuty('install', false)
  metrics.recordDuty('install', false)
  metrics.recordDuty('install', true)
  t.strictSame(await readHealth(metrics), { healthy: 0, errors: 3 })
  metrics.recordDuty('gate', true)
  t.strictSame(await readHealth(metrics), { healthy: 1, errors: 3 })
})

async function readHealth(metrics: ReturnType<typeof create>) {
  const found = await read(metrics, /controller_/)
  return {
    healthy: found.kube_node_ready_controller_healthy,
    errors: found.kube_node_ready_controller_reconcile_errors_total,
  }
}

t.test("metrics: worker pods, once the node's pods are known", async t => {
  const metrics = create()
  t.strictSame(await read(metrics, /worker_pods/), {}, 'nothing is said of what is not known')
  metrics.recordWorkers({ pending: 0, running: 2, succeeded: 148, failed: 0, unknown: 0 })
  metrics.recordWorkers({ pending: 1, running: 1, succeeded: 148, failed: 0, unknown: 0 })
  t.strictSame(await read(metrics, /worker_pods/), {
    'kube_node_ready_worker_pods{status="pending"}': 1,
    'kube_node_ready_worker_pods{status="running"}': 1,
    'kube_node_ready_worker_pods{status="succeeded"}': 148,
    'kube_node_ready_worker_pods{status="failed"}': 0,
    'kube_node_ready_worker_pods{status="unknown"}': 0,
  })
})

/** What dashboards made for kube-node-ready read: name, type and labels of the series in its two tables. */
const seedTables = [
  'kube_node_ready_verification_status gauge node,status',
  'kube_node_ready_verification_duration_seconds gauge node',
  'kube_node_ready_verifications_total counter status',
  'kube_node_ready_worker_pods gauge status',
  'kube_node_ready_retry_attempts_total counter node',
  'kube_node_ready_controller_healthy gauge',
  'kube_node_ready_controller_reconcile_errors_total counter',
  'node_check_status gauge node',
  'node_check_dns_duration_seconds gauge node',
  'node_check_api_duration_seconds gauge node',
  'node_check_completion_timestamp gauge node',
  'node_check_failures_total counter node,check',
]

t.test("metrics: both of the seed's tables, with types and labels", async t => {
  const metrics = create()
  metrics.recordVerdict(good, 0)
  metrics.recordWorkers({ pending: 0, running: 0, succeeded: 0, failed: 0, unknown: 0 })
  const text = await metrics.render()
  for (const row of seedTables) {
    const [name = '', type, labels = ''] = row.split(' ')
    t.ok(text.includes(`\n# TYPE ${name} ${type}\n`), `${name} is a ${type}`)
    const lines = text.split('\n').filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    t.ok(lines.length > 0, `${name} is there`)
    for (const line of lines) t.equal([...line.matchAll(/([a-z]+)="/g)].map(found => found[1]).join(','), labels, line)
  }
})
