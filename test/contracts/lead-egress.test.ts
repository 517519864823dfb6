import { readFile } from 'node:fs/promises'
import t from 'tap'
import { until } from '../machine/wait.ts'
import { addMachine, password, startServer } from '../unit/agent/netmaker/bed.ts'
import { rulesOf, writesSeen } from '../unit/agent/netmaker/fleet.ts'
import { accessTo, deleteNodes, eventsOf, lead, rulesAre, setNode, startBed } from './egress/bed.ts'
import { type Environment, runNopal } from './leader/process.ts'

/** `nopal lead` and `nopal egress` as processes: the real API server, no more rights than the manifest gives, a fake Netmaker. */
const bed = await startBed(t, 'lead-egress')
const { server } = bed

const egress = (args: readonly string[], env: Environment) =>
  runNopal(['egress', ...args], { KUBECONFIG: bed.kubeconfig, ...env })

t.test('Nodes come, change and go; an Event says what was deleted', async t => {
  const fake = await startServer(t)
  addMachine(fake, 'one')
  addMachine(fake, 'two')
  await setNode(server, 'one', ['10.42.1.0/24'])
  const leader = await lead(t, bed, fake)
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
  // The Event is told before the pass has ended.
  const wanted = /"network":"lab","wanted":2,/
  const status = await until('the pass to be over', async () => {
    const now = await leader.status()
    return wanted.test(JSON.stringify(now)) && now
  })
  t.match(status, {
    leader: 'leading',
    api: { answers: true },
    fleet: [{ name: 'two', state: 'verified' }],
    egressRules: { cluster: '', held: [], networks: [{ network: 'dual' }, { network: 'lab', wanted: 2 }] },
    events: [{ reason: 'EgressRuleDeleted', type: String }],
  })
  t.notOk(leader.text().includes(password), 'no password in the log')
  t.notOk(
    [...fake.state.tokens.keys()].some(token => leader.text().includes(token)),
    'no token in the log',
  )
  const line = await readFile(`/proc/${leader.process.pid}/cmdline`, 'utf8')
  t.notOk(line.includes(password), 'no password in the list of processes')
  await deleteNodes(server)
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
  const standby = await lead(t, bed, fake, elected)
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
  const one = await lead(t, bed, fake, elected)
  await until('its first write', () => fake.state.rules.size > 0)
  const two = await lead(t, bed, fake, elected)
  await one.stop()
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
  const leader = await lead(t, bed, fake, { NETMAKER_PASSWORD: 'not-the-one' })
  const line = /\[netmaker\] username, password: the login was refused: .*incorrect credentials/
  await until('it to be told', () => line.test(leader.text()))
  t.match(leader.text(), '"waitMs"')
  t.notOk(leader.text().includes('not-the-one'))
  t.ok(fake.seen.length < 5, 'few logins')
  t.match(await leader.status(), {
    leader: 'leading',
    egressError: line,
  })
})

t.test('nopal egress: the plan, then the plan carried out', async t => {
  const fake = await startServer(t)
  addMachine(fake, 'one')
  await setNode(server, 'one', ['10.42.71.0/24'])
  await setNode(server, 'far', ['10.42.2.0/24'])
  const ask = async (...args: string[]) => {
    const { code, stdout, stderr } = await egress(args, accessTo(fake))
    t.notOk((stdout + stderr).includes(password))
    return { code, out: stdout }
  }
  const plan = await ask('--output', 'json')
  t.same(JSON.parse(plan.out), {
    cluster: '',
    actions: [
      { action: 'create', network: 'lab', node: 'one', index: 0, range: '10.42.71.0/24', id: null, reason: 'NoRule' },
    ],
    held: [],
    unmatched: [{ node: 'far', reason: 'NoHost' }],
    networks: [
      { network: 'dual', wanted: 0, present: 0, held: 0 },
      { network: 'lab', wanted: 1, present: 0, held: 0 },
    ],
  })
  t.equal(plan.code, 1)
  t.equal(writesSeen(fake), 0, 'a plan writes nothing')
  addMachine(fake, 'two')
  await setNode(server, 'two', ['10.42.72.0/24'])
  t.equal((await ask('--apply')).code, 1, 'what has no place is not done')
  t.same(rulesOf(fake), ['lab one 0 10.42.71.0/24', 'lab two 0 10.42.72.0/24'])
  t.same(await ask(), { code: 1, out: 'far: no Netmaker host has its name\n' })
  await server.send({ method: 'DELETE', path: '/api/v1/nodes/far' })
  t.same(await ask(), { code: 0, out: 'every pod CIDR has its rule\n' })
  await server.send({ method: 'DELETE', path: '/api/v1/nodes/one' })
  t.equal((await ask('--apply')).code, 0)
  t.same(rulesOf(fake), ['lab two 0 10.42.72.0/24'])
  const told = (await eventsOf(server, 'EgressRuleDeleted')).filter(({ note }) => note.includes('10.42.71.0/24'))
  t.match(told, [{ note: /^NodeGone: / }])
  await deleteNodes(server)
})

t.test('nopal egress without an access, and with a server that is not there', async t => {
  const none = await egress([], {})
  t.match(none, {
    code: 2,
    stdout: '',
    stderr: /^nopal: setting NETMAKER_API_URL: must be set .*\n.*_USERNAME: .*\n.*_PASSWORD: /,
  })
  const far = { NETMAKER_API_URL: 'http://127.0.0.1:1', NETMAKER_USERNAME: 'u', NETMAKER_PASSWORD: 'p' }
  t.match(await egress([], far), {
    code: 3,
    stdout: '',
    stderr: /^nopal: \[netmaker\] api-url: POST http:\/\/127\.0\.0\.1:1\/.*ECONNREFUSED/,
  })
})
