import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { canLookUp, lookupSources } from '../../../../cni/kactus/sources.ts'
import { FakeAgent } from '../../../fakes/agent-socket.ts'
import { refusalOf } from '../refusal.ts'
import { confOf } from './fixtures.ts'

const uid = process.getuid?.() ?? 0
const question = { namespace: 'team', pod: 'p1', network: undefined }

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
  const kubeconfig = join(t.testdir({}), 'kubeconfig')
  const cluster = { server: 'https://127.0.0.1:1' }
  const document = {
    'current-context': 'a',
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    clusters: [{ name: 'a', cluster }],
    users: [{ name: 'a', user: { token: 'eyJsecret' } }],
  }
  await writeFile(kubeconfig, JSON.stringify(document))
  const conf = confOf({ agentSocket: '', kubeconfig })
  await t.resolves(canLookUp(conf, {}, uid))
  const sources = lookupSources(conf, {}, uid)
  t.equal(sources.api(), sources.api(), 'one way for all requests')
  await t.rejects((await sources.api()).get('/api', 1000), { code: 'Unreachable' })
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
