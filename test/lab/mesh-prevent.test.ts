import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { until } from '../machine/wait.ts'
import { mesh, mute } from './mesh.ts'
import { GuardedMesh, guardSettings } from './mesh-bed.ts'
import type { LabNode } from './node.ts'

// With the packet filter, and nobody who heals.

const on = guardSettings('heal = observe\nprevent = true')
const off = guardSettings('heal = observe')
const bed = await GuardedMesh.start(2, on)
t.teardown(() => bed.stop())
const [one, two] = [bed.node(1), bed.node(2)]
const right = `${two.plan.publicAddress}:${mesh.port}`
const ours = 'table inet nopal_mesh'
const tableOf = async (node: LabNode) => (await node.exec(['nft', 'list', ...ours.split(' ')])).stdout
const others = async (node: LabNode) =>
  (await node.run(['nft', 'list', 'ruleset'])).replace(new RegExp(`${ours} \\{\n(?:\t.*\n|\n)*}\n`), '')

for (const node of [one, two]) await until('the table', async () => (await tableOf(node)) !== '')
const foreign = `${ours}_of_another`
await one.run(['nft', `${foreign} { chain out { type filter hook output priority 5; ip daddr 198.51.100.1 drop; }; }`])
const foreignRules = await others(one)
if (!foreignRules.includes(foreign) || foreignRules.includes(`${ours} {`)) throw new Error(foreignRules)

// A pod's address of the second node, where its netclient answers on all addresses.
const pod = '10.42.2.1'
await two.run(['ip', 'address', 'add', `${pod}/32`, 'dev', 'lo'])
const answer = `require('net').createServer(s => s.on('error', () => {}).end('PONG')).listen(${mesh.port}, '0.0.0.0')`
const answering = two.start({ name: 'answering', argv: [process.execPath, '-e', answer] })
t.teardown(() => answering.stop())

/** As netclient learns an endpoint: it takes an address at which the peer's netclient answers. */
async function learn(): Promise<boolean> {
  const ask = `const s = require('net').connect(${mesh.port}, '${pod}', () => process.exit(0))
    s.on('error', () => process.exit(1)); setTimeout(() => process.exit(1), 2000)`
  const { code } = await one.exec([process.execPath, '-e', ask])
  if (code === 0) await bed.setEndpoint(one, two, `${pod}:${mesh.port}`)
  return code === 0
}

/** Sends pods' packets past the tunnel, as a CNI does. */
const pastTheTunnel = () => one.run(['ip', 'route', 'replace', '10.42.2.0/24', 'via', two.plan.publicAddress])
const throughTheTunnel = () => one.run(['ip', 'route', 'replace', '10.42.2.0/24', 'dev', mesh.device])

/** Makes a peer's endpoint one in its own networks for as long as the work takes, which is told what was sent since. */
async function loop(work: (sent: () => Promise<number>) => Promise<unknown>): Promise<void> {
  const unmute = await mute(two, one)
  const { tx } = await bed.transfer(one, two)
  await bed.setEndpoint(one, two, '10.42.2.7:51821')
  await work(async () => (await bed.transfer(one, two)).tx - tx)
  await bed.setEndpoint(one, two, right)
  await unmute()
}

/** The endpoints that the first node has for the second, in so many seconds. */
async function endpointsFor(seconds: number): Promise<readonly string[]> {
  const seen = new Set<string>()
  for (const endMs = performance.now() + seconds * 1000; performance.now() < endMs; await sleep(50))
    seen.add((await bed.endpointOf(one, two)) ?? '')
  return [...seen]
}

t.test("a node that sends from its pods' network does not leak", async t => {
  const stopPosing = await bed.sendFrom(two, '10.42.2.0')
  t.strictSame(await endpointsFor(5), [right])
  await stopPosing()
})

t.test('netclient learns no such endpoint', async t => {
  await until('the other answers through the tunnel', async () => {
    const learned = await learn()
    await bed.setEndpoint(one, two, right)
    return learned
  })
  await pastTheTunnel()
  t.notOk(await learn())
  t.equal(await bed.endpointOf(one, two), right)
  await throughTheTunnel()
})

t.test('a loop does not arise', async t => {
  await loop(async sent => {
    await sleep(5000)
    const bytes = await sent()
    t.ok(bytes < 100_000, `${bytes} bytes in 5 s`)
  })
  await bed.untilClasses(one, { expected: 1 })
})

t.test('it follows the port', async t => {
  t.notMatch(await tableOf(one), '51830')
  await one.run(['wg', 'set', mesh.device, 'listen-port', '51830'])
  await until('the new port', async () => (await tableOf(one)).includes('51830'))
  await one.run(['wg', 'set', mesh.device, 'listen-port', String(mesh.port)])
  await until('the old port', async () => !(await tableOf(one)).includes('51830'))
})

t.test('a restart leaves no gap', async t => {
  const watching = one.start({
    name: 'watching',
    argv: ['sh', '-c', `while :; do nft list ${ours} >/dev/null 2>&1 && echo there || echo gap; sleep 0.01; done`],
  })
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const agent = await bed.restartAgent(1, signal, on)
    await agent.waitForLog(/packet filter set/)
  }
  await sleep(500)
  await watching.stop()
  t.match(watching.log(), 'there')
  t.notMatch(watching.log(), 'gap')
  t.comment(`there at each of ${watching.log().match(/there/g)?.length} looks`)
  t.equal(await others(one), foreignRules)
})

t.test('switched off it is gone, and both leak and loop arise', async t => {
  await bed.restartAgent(1, 'SIGTERM', off)
  await until('it is gone', async () => (await tableOf(one)) === '')
  t.equal(await others(one), foreignRules)
  const stopPosing = await bed.sendFrom(two, '10.42.2.0')
  await until('the leak', async () => (await bed.endpointOf(one, two))?.startsWith('10.42.2.0:'))
  await stopPosing()
  await until('its end', async () => (await bed.endpointOf(one, two)) === right)
  await pastTheTunnel()
  await until('the other answers past the tunnel', learn)
  await throughTheTunnel()
  await bed.setEndpoint(one, two, right)
  await loop(sent => until('a loop of a million bytes', async () => (await sent()) > 1_000_000))
})

t.test('uninstalled it is gone, and nothing else', async t => {
  const agent = await bed.restartAgent(1, 'SIGTERM', on)
  await until('it is there again', async () => (await tableOf(one)) !== '')
  await agent.stop()
  t.not(await tableOf(one), '', 'the end of an agent takes nothing away')
  const { code } = await bed.lab.run.exec([one.nopalScript, 'uninstall'])
  t.equal(code, 0)
  t.equal(await tableOf(one), '')
  t.equal(await others(one), foreignRules)
})
