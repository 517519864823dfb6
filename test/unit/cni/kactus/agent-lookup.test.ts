import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { askAgent, isAgentSocket } from '../../../../cni/kactus/agent-lookup.ts'
import { MAX_ANSWER_BYTES, parseQuestion, printAnswer } from '../../../../cni/networks/lookup-protocol.ts'
import { FakeAgent } from '../../../fakes/agent-socket.ts'

const uid = process.getuid?.() ?? 0
const question = { namespace: 'team', pod: 'p1', network: undefined }
/** Longer than a test may take, so that only an answer ends the wait. */
const patient = { firstByteMs: 600_000, totalMs: 600_000 }

async function folderOf(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nopal-agent-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function agentOf(t: Test): Promise<FakeAgent> {
  const agent = await FakeAgent.start(join(await folderOf(t), 'run/agent.sock'))
  t.teardown(() => agent.stop())
  return agent
}

t.test('what the agent knows', async t => {
  const agent = await agentOf(t)
  agent.putPod('team', 'p1', { uid: 'u1', annotations: { networks: '[]' } })
  const options = { socket: agent.path, uid, ...patient }
  t.strictSame(await askAgent(question, options), { pod: { uid: 'u1', annotations: { networks: '[]' } }, networks: [] })
  t.equal(await askAgent({ ...question, pod: 'p2' }, options), undefined)
  t.equal(agent.questions, 2)
})

interface JunkCase {
  readonly name: string
  readonly says: string
}

const known = printAnswer({ pod: { uid: 'u', annotations: {} }, networks: [] })

const junkCases: readonly JunkCase[] = [
  { name: 'nothing', says: '' },
  { name: 'an answer without its end', says: known.trimEnd() },
  { name: 'junk', says: 'hello\n' },
  { name: 'another version', says: '{"nopal":99,"known":true}\n' },
  { name: 'a line without end', says: 'x'.repeat(MAX_ANSWER_BYTES + 1) },
]

for (const { name, says } of junkCases) {
  t.test(`an agent that says ${name} does not know`, async t => {
    const agent = await agentOf(t)
    agent.says = says
    t.equal(await askAgent(question, { socket: agent.path, uid, ...patient }), undefined)
    t.equal(agent.questions, 1)
  })
}

t.test('an agent that never answers', async t => {
  const agent = await agentOf(t)
  agent.says = 'silence'
  t.equal(await askAgent(question, { socket: agent.path, uid, firstByteMs: 30, totalMs: 600_000 }), undefined)
})

t.test('an agent that begins an answer and never ends it', async t => {
  const socket = join(await folderOf(t), 'agent.sock')
  const server = createServer(connection => {
    connection.on('error', () => undefined)
    connection.on('data', () => connection.write('{'))
  })
  await new Promise<void>(resolve => server.listen(socket, resolve))
  t.teardown(() => server.close())
  t.equal(await askAgent(question, { socket, uid, firstByteMs: 600_000, totalMs: 30 }), undefined)
})

t.test('an answer in pieces', async t => {
  const socket = join(await folderOf(t), 'agent.sock')
  const server = createServer(connection => {
    connection.once('data', chunk => {
      t.strictSame(parseQuestion(chunk.toString()), question)
      connection.write(known.slice(0, 10))
      setImmediate(() => connection.end(known.slice(10)))
    })
  })
  await new Promise<void>(resolve => server.listen(socket, resolve))
  t.teardown(() => server.close())
  t.strictSame(await askAgent(question, { socket, uid, ...patient }), {
    pod: { uid: 'u', annotations: {} },
    networks: [],
  })
})

t.test('an agent that is dead leaves its socket', async t => {
  const agent = await agentOf(t)
  const folder = await folderOf(t)
  await symlink(agent.path, join(folder, 'link'))
  t.notOk(await isAgentSocket(join(folder, 'link'), uid), 'a link is not followed')
  await agent.stop()
  t.equal(await askAgent(question, { socket: agent.path, uid, ...patient }), undefined)
})

t.test('only a socket that nobody else can have put there is asked', async t => {
  const agent = await agentOf(t)
  t.ok(await isAgentSocket(agent.path, uid))
  t.notOk(await isAgentSocket(agent.path, uid + 1), "another account's")
  t.equal(await askAgent(question, { socket: agent.path, uid: uid + 1, ...patient }), undefined)
  await chmod(join(agent.path, '..'), 0o777)
  t.notOk(await isAgentSocket(agent.path, uid), 'a folder that all may write in')
  await chmod(join(agent.path, '..'), 0o770)
  t.notOk(await isAgentSocket(agent.path, uid), 'a folder that a group may write in')
  t.equal(agent.questions, 0)
  const folder = await folderOf(t)
  await writeFile(join(folder, 'file'), '')
  await mkdir(join(folder, 'folder'))
  for (const name of ['file', 'folder', 'none', 'file/none'])
    t.notOk(await isAgentSocket(join(folder, name), uid), name)
})
