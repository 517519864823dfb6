import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { canLookUp, lookupSources } from '../../../../cni/kactus/sources.ts'
import { FakeAgent } from '../../../fakes/agent-socket.ts'
import { refusalOf } from '../refusal.ts'
import { confOf } from './fixtures.ts'

const uid = process.getuid?.() ?? 0
const question = { namespace: 'team', pod: 'p1', network: undefined }

/** A kubeconfig in a folder of the test's, of a server at that port of this machine. */
async function kubeconfigOf(t: Test, port: number): Promise<string> {
  const kubeconfig = join(t.testdir({}), 'kubeconfig')
  const document = {
    'current-context': 'a',
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    clusters: [{ name: 'a', cluster: { server: `https://127.0.0.1:${port}` } }],
    users: [{ name: 'a', user: { token: 'eyJsecret' } }],
  }
  await writeFile(kubeconfig, JSON.stringify(document))
  return kubeconfig
}

async function agentOf(t: Test): Promise<FakeAgent> {
  const folder = await mkdtemp(join(tmpdir(), 'nopal-sources-'))
  const agent = await FakeAgent.start(join(folder, 'run/agent.sock'))
  t.teardown(async () => {
    await agent.stop()
    await rm(folder, { recursive: true, force: true })
  })
  return agent
}

t.test('the agent is asked where there is one', async t => {
  const agent = await agentOf(t)
  agent.putPod('team', 'p1', { uid: 'u1', annotations: {} })
  const asked = lookupSources(confOf({ agentSocket: agent.path }), {}, uid)
  t.match(await asked.agent(question), { pod: { uid: 'u1' } })
  t.equal(agent.questions, 1)
  t.equal(await lookupSources(confOf({ agentSocket: '' }), {}, uid).agent(question), undefined)
  t.equal(agent.questions, 1)
})

t.test('with an agent a lookup is possible, without asking it', async t => {
  const agent = await agentOf(t)
  await t.resolves(canLookUp(confOf({ agentSocket: agent.path, kubeconfig: '/none/such' }), {}, uid))
  t.equal(agent.questions, 0)
  await chmod(join(agent.path, '..'), 0o777)
  const error = await refusalOf(() => canLookUp(confOf({ agentSocket: agent.path, kubeconfig: '/none/such' }), {}, uid))
  t.equal(error.code, 104, 'an agent that anybody may have put there does not count')
})

t.test('with a kubeconfig a lookup is possible', async t => {
  const conf = confOf({ agentSocket: '', kubeconfig: await kubeconfigOf(t, 1) })
  await t.resolves(canLookUp(conf, {}, uid))
  const sources = lookupSources(conf, {}, uid)
  t.equal(sources.api(), sources.api(), 'one way for all requests')
  await t.rejects((await sources.api()).get('/api', 1000), { code: 'Unreachable' })
})

t.test('all requests to the API share 20 s, which end one that hangs', async t => {
  const silent = createServer(socket => void socket.on('error', () => undefined))
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const kubeconfig = await kubeconfigOf(t, (silent.address() as AddressInfo).port)
  const time = new AbortController()
  const limits = t.capture(AbortSignal, 'timeout', () => time.signal)
  const reader = await lookupSources(confOf({ agentSocket: '', kubeconfig }), {}, uid).api()
  const asked = once(silent, 'connection')
  const hangs = reader.get('/api', 1000)
  await asked
  time.abort()
  await t.rejects(hangs, { code: 'TimedOut' })
  await t.rejects(reader.get('/api', 1000), { code: 'TimedOut' }, 'none begins after them')
  t.same(
    limits().map(({ args }) => args),
    [[20_000]],
  )
})

interface NoWayCase {
  readonly name: string
  readonly conf: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string>>
  readonly message: RegExp
}

const noWayCases: readonly NoWayCase[] = [
  { name: 'no kubeconfig and no pod', conf: {}, env: {}, message: /no kubeconfig is set and this is no pod/ },
  {
    name: 'a kubeconfig that is missing',
    conf: { kubeconfig: '/none/such' },
    env: {},
    message: /\/none\/such cannot be read: ENOENT/,
  },
]

for (const { name, conf, env, message } of noWayCases) {
  t.test(`no way: ${name}`, async t => {
    const without = confOf({ agentSocket: '', ...conf })
    t.match(await refusalOf(() => canLookUp(without, env, uid)), { code: 104, message })
    t.match(await refusalOf(() => lookupSources(without, env, uid).api()), { code: 104, message })
  })
}
