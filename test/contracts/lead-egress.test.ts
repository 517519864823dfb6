import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { nodeNetworksPath } from '../../agent/kube/node-network.ts'
import { type ApiServer, startApiServer } from '../cluster/api-server.ts'
import { createAll, readManifests } from '../cluster/manifests.ts'
import { findFreePort } from '../cluster/port.ts'
import { compareRights, grantsOf } from '../e2e/rights.ts'
import type { FakeNetmaker } from '../fakes/netmaker/main.ts'
import { applyManifests } from '../lab/product.ts'
import { until } from '../machine/wait.ts'
import { addMachine, password, startServer, username } from '../unit/agent/netmaker/bed.ts'
import { rulesOf, writesSeen } from '../unit/agent/netmaker/fleet.ts'

/** `nopal lead` and `nopal egress` as processes: the real API server, no more rights than the manifest gives, a fake Netmaker. */
const server = await startApiServer({ kind: 'real', run: 'lead-egress' })
t.teardown(() => server.stop())
await applyManifests(server)
const folder = join(import.meta.dirname, '../../daemonset')
const files = ['leader.yaml', 'egress/rights.yaml'].map(file => readManifests(join(folder, file)))
const manifests = (await Promise.all(files)).flat().filter(({ kind }) => kind !== 'Deployment')
await createAll(server.admin, manifests)
const kubeconfig = await server.kubeconfigFor('nopal', 'nopal-leader')
const main = join(import.meta.dirname, '../../agent/main.ts')

interface Started {
  readonly process: ChildProcess
  /** All that it has written. */
  text(): string
  metrics(): Promise<string>
  status(): Promise<unknown>
}

const accessTo = (fake: FakeNetmaker) => ({
  NETMAKER_API_URL: `${fake.url}/`,
  NETMAKER_USERNAME: username,
  NETMAKER_PASSWORD: password,
})

/** Nothing of this machine's but what it is given. */
function run(t: Test, args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [main, ...args], { env: { KUBECONFIG: kubeconfig, ...env }, stdio: 'pipe' })
  t.teardown(() => child.kill('SIGKILL'))
  let [out, all] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (all += text))
  return { child, out: () => out, all: () => all }
}

async function lead(t: Test, fake: FakeNetmaker, env: Readonly<Record<string, string>> = {}): Promise<Started> {
  const port = await findFreePort(undefined)
  const listen = { NOPAL_LEADER_LISTEN: `127.0.0.1:${port}` }
  const { child, all } = run(t, ['lead'], { ...accessTo(fake), ...listen, ...env })
  const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text()
  await until('the leader to serve', () =>
    get('/healthz').then(
      () => true,
      () => false,
    ),
  )
  return {
    process: child,
    text: all,
    metrics: () => get('/metrics'),
    status: async () => JSON.parse(await get('/status.json')) as unknown,
  }
}

async function setNode(api: ApiServer, name: string, podCIDRs: readonly string[]): Promise<void> {
  const spec = { podCIDR: podCIDRs[0], podCIDRs }
  const body = { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec }
  const { code } = await api.send({ method: 'POST', path: '/api/v1/nodes', body })
  if (code !== 201) throw new Error(`Node ${name}: ${code}`)
}

async function deleteNodes(api: ApiServer): Promise<void> {
  await api.send({ method: 'DELETE', path: '/api/v1/nodes' })
}

async function eventsOf(api: ApiServer, reason: string): Promise<readonly { readonly note: string }[]> {
  const { body } = await api.send({ method: 'GET', path: '/apis/events.k8s.io/v1/events' })
  const { items } = body as { readonly items: readonly { readonly reason: string; readonly note: string }[] }
  return items.filter(event => event.reason === reason)
}

/** As the agent of a node says it. */
async function publish(api: ApiServer, name: string, missingAllowedIPs: readonly string[]): Promise<void> {
  const body = { apiVersion: 'nopal.io/v1alpha1', kind: 'NodeNetwork', metadata: { name }, spec: {} }
  await api.send({ method: 'POST', path: nodeNetworksPath, body })
  const status = { verdict: 'Ready', reason: 'Verified', missingAllowedIPs, observedTime: '2026-01-01T00:00:00Z' }
  const contentType = 'application/merge-patch+json'
  const answer = await api.send({
    method: 'PATCH',
    path: `${nodeNetworksPath}/${name}/status`,
    contentType,
    body: { status },
  })
  if (answer.code !== 200) throw new Error(`NodeNetwork ${name}: ${answer.code}`)
}

interface Condition {
  readonly type: string
}

async function conditionOf(api: ApiServer, name: string): Promise<Condition | undefined> {
  const { body } = await api.send({ method: 'GET', path: `/api/v1/nodes/${name}` })
  const { conditions = [] } = (body as { readonly status: { readonly conditions?: readonly Condition[] } }).status
  return conditions.find(({ type }) => type === 'nopal.io/EgressInEffect')
}

const rulesAre = (fake: FakeNetmaker, want: readonly string[]) =>
  until(`the rules to be ${want.join(', ')}`, () => JSON.stringify(rulesOf(fake)) === JSON.stringify(want))

t.test('Nodes come, change and go; an Event says what was deleted', async t => {
  const fake = await startServer(t)
  addMachine(fake, 'one')
  addMachine(fake, 'two')
  await setNode(server, 'one', ['10.42.1.0/24'])
  const leader = await lead(t, fake)
  await rulesAre(fake, ['lab one 0 10.42.1.0/24'])
  await setNode(server, 'two', ['10.42.2.0/24', 'fd00:42:0:2::/64'])
  await rulesAre(fake, ['lab one 0 10.42.1.0/24', 'lab two 0 10.42.2.0/24', 'lab two 1 fd00:42:0:2::/64'])
  await server.send({ method: 'DELETE', path: '/api/v1/nodes/one' })
  await rulesAre(fake, ['lab two 0 10.42.2.0/24', 'lab two 1 fd00:42:0:2::/64'])
  const [event] = await until('the Event', async () => {
    const events = await eventsOf(server, 'EgressRuleDeleted')
    return events.length > 0 && events
  })
  t.match(event?.note, /^NodeGone: the Netmaker egress rule .*10\.42\.1\.0\/24/)
  const metrics = await leader.metrics()
  t.match(metrics, 'nopal_egress_writes_total{action="create",outcome="done"} 3')
  t.match(metrics, 'nopal_netmaker_requests_total{method="POST",code="200"}')
  t.match(metrics, /nopal_last_success_timestamp_seconds\{duty="egress"\} 1\d{9}/)
  t.match(await leader.status(), { leader: 'leading', egressRules: { cluster: '', held: [] } })
  t.notOk(leader.text().includes(password), 'no password in the log')
  t.notOk(
    [...fake.state.tokens.keys()].some(token => leader.text().includes(token)),
    'no token in the log',
  )
  const line = await readFile(`/proc/${leader.process.pid}/cmdline`, 'utf8')
  t.notOk(line.includes(password), 'no password in the list of processes')
  await deleteNodes(server)
})

t.test('a rule that has not come to a node: a condition and an Event with the likely cause', async t => {
  const fake = await startServer(t)
  for (const name of ['one', 'two']) addMachine(fake, name)
  await setNode(server, 'one', ['10.42.1.0/24'])
  await setNode(server, 'two', ['10.42.2.0/24'])
  await publish(server, 'two', ['10.42.1.0/24'])
  const leader = await lead(t, fake)
  const condition = await until('the condition', () => conditionOf(server, 'one'), { limitMs: 150_000, everyMs: 500 })
  t.match(condition, { status: 'False', reason: 'MessagingDown', message: /10\.42\.1\.0\/24 in lab .* 1 node \(two\)/ })
  t.equal(await conditionOf(server, 'two'), undefined, 'nothing is wrong with the other')
  t.match(await eventsOf(server, 'EgressNoEffect'), [{ note: /^MessagingDown: / }])
  t.match(await leader.metrics(), 'nopal_egress_rules{network="lab",state="noeffect"} 1')
  await server.send({ method: 'DELETE', path: `${nodeNetworksPath}/two` })
  await deleteNodes(server)
})

t.test('of the rights about egress none is missing, and but for one each is used', async t => {
  const { grants, faults } = compareRights(grantsOf(manifests), await server.requests())
  t.same(faults, [])
  const unused = grants.filter(({ uses, resource }) => uses === 0 && resource !== 'leases')
  // An Event that comes again within ten minutes: test/unit/agent/kube/events.test.ts.
  t.same(
    unused.map(({ verb, resource }) => `${verb} ${resource}`),
    ['patch events'],
  )
})

t.test("on a person's machine, with kaput-not's environment alone; its Lease excludes one that still runs", async t => {
  const fake = await startServer(t)
  addMachine(fake, 'one')
  await setNode(server, 'one', ['10.42.1.0/24'])
  const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases'
  const renewTime = `${new Date().toISOString().slice(0, -1)}000Z`
  const spec = { holderIdentity: 'kaput-not-7f', leaseDurationSeconds: 15, acquireTime: renewTime, renewTime }
  const metadata = { name: 'kaput-not', namespace: 'kube-system' }
  const held = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }
  await server.send({ method: 'POST', path: lease, body: held })
  const elected = {
    KUBECONFIG: server.adminKubeconfig,
    LEADER_ELECTION_ENABLED: 'true',
    LEADER_ELECTION_ID: 'kaput-not',
    LEADER_ELECTION_NAMESPACE: 'kube-system',
  }
  const standby = await lead(t, fake, elected)
  await until('it to know that another leads', async () =>
    JSON.stringify(await standby.status()).includes('"leader":"standby"'),
  )
  t.same(fake.seen, [], 'who stands by asks nothing and logs in nowhere')
  await server.send({ method: 'DELETE', path: `${lease}/kaput-not` })
  await rulesAre(fake, ['lab one 0 10.42.1.0/24'])
  await deleteNodes(server)
})

t.test('who holds the Lease is killed at work: the next one takes over, and makes no second rule', async t => {
  const fake = await startServer(t)
  const names = Array.from({ length: 20 }, (_, at) => `n${at}`)
  for (const [at, name] of names.entries()) {
    addMachine(fake, name)
    await setNode(server, name, [`10.42.${at}.0/24`])
  }
  const elected = { KUBECONFIG: server.adminKubeconfig, LEADER_ELECTION_ENABLED: 'true' }
  fake.faults.latencyMs = 20
  const one = await lead(t, fake, elected)
  await until('its first write', () => fake.state.rules.size > 0)
  const two = await lead(t, fake, elected)
  one.process.kill('SIGKILL')
  await once(one.process, 'exit')
  const wanted = names.map((name, at) => `lab ${name} 0 10.42.${at}.0/24`).sort()
  await until('the other to lead', async () => (await two.metrics()).includes('\nnopal_leader 1\n'), {
    limitMs: 60_000,
  })
  await until('all rules, each once', () => JSON.stringify(rulesOf(fake)) === JSON.stringify(wanted), {
    limitMs: 30_000,
  })
  t.same(rulesOf(fake), wanted, 'one rule for each')
  await deleteNodes(server)
})

t.test('a wrong password: one clear line, backoff, no storm of logins, the leader goes on', async t => {
  const fake = await startServer(t)
  const leader = await lead(t, fake, { NETMAKER_PASSWORD: 'not-the-one' })
  const line = /netmaker\.username, netmaker\.password: the login was refused: .*incorrect credentials/
  await until('it to be told', () => line.test(leader.text()))
  t.match(leader.text(), '"waitMs"')
  t.notOk(leader.text().includes('not-the-one'))
  t.ok(fake.seen.length < 5, 'few logins')
  t.match(await leader.status(), {
    leader: 'leading',
    facts: [{ name: 'leader' }, { name: 'egress rules', text: line }],
  })
})

t.test('nopal egress: the plan, then the plan carried out', async t => {
  const fake = await startServer(t)
  addMachine(fake, 'one')
  await setNode(server, 'one', ['10.42.1.0/24'])
  await setNode(server, 'far', ['10.42.2.0/24'])
  const ask = async (...args: string[]) => {
    const { child, out, all } = run(t, ['egress', ...args], accessTo(fake))
    const [code] = (await once(child, 'close')) as [number]
    t.notOk(all().includes(password))
    return { code, out: out() }
  }
  const plan = await ask('--output', 'json')
  t.same(JSON.parse(plan.out), {
    cluster: '',
    actions: [
      { action: 'create', network: 'lab', node: 'one', index: 0, range: '10.42.1.0/24', id: null, reason: 'NoRule' },
    ],
    held: [],
    unmatched: [{ node: 'far', reason: 'NoHost' }],
  })
  t.equal(plan.code, 1)
  t.equal(writesSeen(fake), 0, 'a plan writes nothing')
  t.equal((await ask('--apply')).code, 0)
  t.same(rulesOf(fake), ['lab one 0 10.42.1.0/24'])
  const after = await ask()
  t.equal(after.code, 0)
  t.equal(after.out, 'far: no Netmaker host has its name\n')
  await deleteNodes(server)
})

t.test('nopal egress without an access, and with a server that is not there', async t => {
  const none = run(t, ['egress'], {})
  t.same(await once(none.child, 'close'), [2, null])
  t.equal(none.all(), 'nopal: setting NETMAKER_API_URL: must be set\n')
  const far = run(t, ['egress'], {
    NETMAKER_API_URL: 'http://127.0.0.1:1',
    NETMAKER_USERNAME: 'u',
    NETMAKER_PASSWORD: 'p',
  })
  t.same(await once(far.child, 'close'), [3, null])
  t.match(far.all(), /^nopal: netmaker\.api-url: POST http:\/\/127\.0\.0\.1:1\/.*ECONNREFUSED/)
})
