import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startApiServer } from '../cluster/api-server.ts'
import { type Fault, startFaultProxy } from '../fakes/fault-proxy/start.ts'
import { type Program, startTold } from '../machine/program.ts'
import { until } from '../machine/wait.ts'
import { post } from './api/requests.ts'
import type { CandidateConfig } from './candidate.ts'

/** Two processes that would lead, each with a network of its own, at the times that ship. Never are two at work. */

const server = await startApiServer({ kind: 'real', run: `election-${randomBytes(3).toString('hex')}` })
t.teardown(() => server.stop())
await allowAll()

interface Candidate {
  readonly name: string
  readonly child: Program
  /** Replaces what is wrong with its network. */
  fault(...faults: Fault[]): Promise<void>
}

interface Trouble {
  readonly name: string
  /** Whose clock of day is a minute ahead. */
  readonly ahead: 'leader' | 'other'
  begin(leader: Candidate): unknown
  /** It is over, while the other leads. */
  end(leader: Candidate): unknown
}

const signalTo =
  (signal: NodeJS.Signals) =>
  ({ child }: Candidate) =>
    child.process.kill(signal)
const clear = (leader: Candidate) => leader.fault()
const nothing = () => undefined

const troubles: readonly Trouble[] = [
  { name: 'cut off', ahead: 'leader', begin: leader => leader.fault({ does: 'refuse' }), end: clear },
  { name: 'a server that hangs', ahead: 'other', begin: leader => leader.fault({ does: 'hang' }), end: clear },
  {
    name: 'a server that hears no renewals, and answers all else',
    ahead: 'leader',
    begin: leader => leader.fault({ does: 'hang', path: '/leases/', method: 'PUT' }),
    end: clear,
  },
  { name: 'paused, and woken', ahead: 'other', begin: signalTo('SIGSTOP'), end: signalTo('SIGCONT') },
  { name: 'killed', ahead: 'leader', begin: signalTo('SIGKILL'), end: nothing },
  { name: 'asked to end', ahead: 'other', begin: signalTo('SIGTERM'), end: nothing },
]

t.test('two leaders', async t => {
  t.jobs = troubles.length
  for (const trouble of troubles) t.test(trouble.name, t => neverTwo(t, trouble))
})

async function neverTwo(t: Test, { ahead, begin, end }: Trouble): Promise<void> {
  const id = randomBytes(3).toString('hex')
  const file = join(server.folder, `${id}.txt`)
  const shared = { lease: `leader-${id}`, file, object: `/api/v1/namespaces/kube-system/configmaps/${id}` }
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: id } }
  await server.send(post('/api/v1/namespaces/kube-system/configmaps', configMap))
  const leader = await stand(t, { ...shared, name: `${id}-one`, skewMs: ahead === 'leader' ? 60_000 : 0 })
  await until('the first to work', async () => (await turnsIn(file)).length === 1)
  const other = await stand(t, { ...shared, name: `${id}-two`, skewMs: ahead === 'other' ? 60_000 : 0 })
  await sleep(3_000)
  t.same(await turnsIn(file), [`${leader.name}/1`], 'the second stands by')
  await begin(leader)
  const last = async () => (await turnsIn(file)).at(-1)
  await until('the second to take over', async () => (await last()) === `${other.name}/1`, { limitMs: 60_000 })
  await end(leader)
  await sleep(5_000)
  const turns = await turnsIn(file)
  t.same([...new Set(turns)], turns, 'nobody worked in a term that another had ended')
  t.same(turns.slice(0, 2), [`${leader.name}/1`, `${other.name}/1`])
  const writers = await writersOf(shared.object)
  t.same([...new Set(writers)], writers, 'nor did a late write reach the cluster')
  t.same(writers, [leader.name, other.name])
}

async function stand(t: Test, config: Omit<CandidateConfig, 'url' | 'ca' | 'token'>): Promise<Candidate> {
  const proxy = await startFaultProxy(server)
  const { url, ca, token } = await proxy.targetFor('kube-system', 'candidate')
  const argv = [process.execPath, join(import.meta.dirname, 'candidate.ts')]
  const logFile = join(server.folder, 'logs', `${config.name}.log`)
  const [child] = await startTold({ name: config.name, argv, logFile, told: { ...config, url, ca, token } })
  t.teardown(async () => {
    child.process.kill('SIGCONT')
    await child.stop('SIGTERM', 2_000)
    await proxy.stop()
  })
  return { name: config.name, child, fault: proxy.set }
}

/** Who worked, in turn: `name/term` once for each time it begins. */
async function turnsIn(file: string): Promise<readonly string[]> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(line => line !== '')
  return lines.filter((line, at) => line !== lines[at - 1])
}

/** Whose writes the server took, in turn. */
async function writersOf(object: string): Promise<readonly string[]> {
  const lines = (await server.requests()).filter(
    ({ path, verb, code }) => path === object && verb === 'patch' && code < 300,
  )
  const names = lines.toSorted((one, two) => one.time - two.time).map(({ userAgent }) => userAgent)
  return names.filter((name, at) => name !== names[at - 1])
}

async function allowAll(): Promise<void> {
  const subject = { kind: 'ServiceAccount', name: 'candidate', namespace: 'kube-system' }
  const { code } = await server.send(
    post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'candidates' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [subject],
    }),
  )
  if (code !== 201) throw new Error(`no rights: ${code}`)
}
