import { randomBytes } from 'node:crypto'
import t from 'tap'
import { endGroup, endOrphans } from '../../../../cni/host/orphans.ts'
import { ownIdentity, STARTER_MARK, STATE_MARK } from '../../../../cni/host/process-identity.ts'
import { until } from '../../../machine/wait.ts'
import { isRunning, startPlugin, startShell } from './child.ts'

function fresh(): string {
  return `c-${randomBytes(8).toString('hex')}`
}

t.test('nobody there, nobody killed', async t => {
  t.equal(await endOrphans({ containerId: fresh() }, 0), 0)
})

t.test('a plugin that does not end is killed after its grace; those of others are not', async t => {
  const containerId = fresh()
  const hung = await startPlugin(t, { CNI_CONTAINERID: containerId })
  const others = [
    { CNI_CONTAINERID: fresh() },
    { CNI_CONTAINERID: containerId, [STARTER_MARK]: ownIdentity() },
    { CNI_CONTAINERID: containerId, [STARTER_MARK]: undefined },
    { CNI_COMMAND: 'GC' },
  ]
  const strangers = await Promise.all(others.map(env => startPlugin(t, env)))
  t.equal(await endOrphans({ containerId }, 0), 1)
  t.notOk(isRunning(hung.pid))
  for (const [index, stranger] of strangers.entries()) t.ok(isRunning(stranger.pid), JSON.stringify(others[index]))
})

t.test('what a plugin has started ends with it, whatever its environment says', async t => {
  const containerId = fresh()
  const plugin = await startPlugin(t, { CNI_CONTAINERID: containerId }, 'env -i sleep 600 & echo $!; sleep 600')
  const pid = Number(await plugin.line())
  t.ok((await endOrphans({ containerId }, 0)) >= 2)
  t.notOk(isRunning(pid))
})

t.test("of a state folder: GC's plugins, or all; never another folder's", async t => {
  const folder = t.testdir({})
  const gc = await startPlugin(t, { [STATE_MARK]: folder, CNI_COMMAND: 'GC' })
  const add = await startPlugin(t, { [STATE_MARK]: folder, CNI_COMMAND: 'ADD', CNI_CONTAINERID: fresh() })
  const other = await startPlugin(t, { [STATE_MARK]: `${folder}/x`, CNI_COMMAND: 'GC' })
  t.equal(await endOrphans({ gcOf: folder }, 0), 1)
  t.strictSame([isRunning(gc.pid), isRunning(add.pid)], [false, true])
  t.equal(await endOrphans({ allOf: folder }, 0), 1)
  t.strictSame([isRunning(add.pid), isRunning(other.pid)], [false, true])
})

t.test('our own process group is never ended whole', async t => {
  const containerId = fresh()
  const inOurs = startShell(t, 'echo up; read go', { [STARTER_MARK]: '0-0', CNI_CONTAINERID: containerId })
  t.equal(await inOurs.line(), 'up')
  t.equal(await endOrphans({ containerId }, 0), 1)
})

t.test('nor is a group that another program leads: a plugin of ours in it goes alone', async t => {
  const containerId = fresh()
  const mark = `${STARTER_MARK}=0-0 CNI_CONTAINERID=${containerId}`
  const script = `env ${mark} sh -c 'echo $$; exec sleep 600' & read first; sleep 600 & echo $!; read go`
  const leader = await startPlugin(t, { [STARTER_MARK]: undefined }, script)
  const plugin = Number(await leader.line())
  leader.end()
  const neighbour = Number(await leader.line())
  t.equal(await endOrphans({ containerId }, 0), 1)
  t.strictSame([plugin, neighbour, leader.pid].map(isRunning), [false, true, true])
  process.kill(-leader.pid, 'SIGKILL')
})

t.test('a plugin that comes to its own end is waited for', async t => {
  const containerId = fresh()
  const busy = await startPlugin(t, { CNI_CONTAINERID: containerId })
  const ending = endOrphans({ containerId }, 20_000)
  busy.end()
  t.equal(await ending, 0)
  t.notOk(isRunning(busy.pid))
})

t.test('what the dead leader of a group has left is waited for, then killed', async t => {
  const leader = await startPlugin(t, {}, 'sleep 600 <&- >&- 2>&- & echo $!; kill -9 $$')
  const pid = Number(await leader.line())
  await until('the end of the leader', () => !isRunning(leader.pid))
  t.equal(await endGroup(leader.pid, 0), 1)
  t.notOk(isRunning(pid))
  t.equal(await endGroup(leader.pid, 0), 0)
})
