import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type ApiServer, startApiServer } from '../cluster/api-server.ts'
import { findFreePort } from '../cluster/port.ts'
import { until } from '../machine/wait.ts'

/** `nopal lead` as a process, against the real API server with no more rights than its manifest gives. */
const server = await startApiServer({ kind: 'real', run: 'lead' })
t.teardown(() => server.stop())

const main = join(import.meta.dirname, '../../agent/main.ts')
const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/nopal-leader'

interface Leader {
  readonly process: ChildProcess
  get(path: string): Promise<{ readonly code: number; readonly text: string }>
  leads(): Promise<boolean>
}

async function startLeader(t: Test, api: ApiServer, env: Record<string, string>): Promise<Leader> {
  const port = await findFreePort(undefined)
  const child = spawn(process.execPath, [main, 'lead'], {
    env: { KUBECONFIG: api.adminKubeconfig, NOPAL_LEADER_LISTEN: `127.0.0.1:${port}`, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`)
    return { code: answer.status, text: await answer.text() }
  }
  const isUp = () =>
    get('/healthz').then(
      answer => answer.code === 200,
      () => false,
    )
  await until('the leader to serve its health', isUp)
  return { process: child, get, leads: async () => (await get('/metrics')).text.includes('\nnopal_leader 1\n') }
}

const elected = { LEADER_ELECTION_ENABLED: 'true' }

t.test('two stand, one leads; who ends hands over at once, and says so', async t => {
  const one = await startLeader(t, server, elected)
  await until('the first to lead', one.leads)
  const two = await startLeader(t, server, elected)
  await until('the second to be ready', async () => (await two.get('/readyz')).code === 200)
  t.notOk(await two.leads())
  t.match(JSON.parse((await two.get('/status.json')).text), {
    node: 'leader',
    leader: 'standby',
    holder: JSON.parse((await one.get('/status.json')).text).holder,
    missing: [],
  })
  t.match((await two.get('/')).text, / leads<\/p>/, 'and the page names who leads')
  const exit = once(one.process, 'exit')
  one.process.kill('SIGTERM')
  t.same(await exit, [0, null])
  await until('the second to lead', two.leads, { limitMs: 10_000 })
  t.match((await server.send({ method: 'GET', path: lease })).body, { spec: { leaseTransitions: 2 } })
})

t.test('outside a cluster it leads without a Lease', async t => {
  const name = 'nobody-asks-for-this'
  const one = await startLeader(t, server, { LEADER_ELECTION_ID: name })
  await until('it to lead', one.leads)
  const asked = (await server.requests()).filter(line => `${line.path}?${line.query}`.includes(name))
  t.same(asked, [])
})
