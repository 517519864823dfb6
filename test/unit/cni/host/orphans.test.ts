import { randomBytes } from 'node:crypto'
import t from 'tap'
import { DELEGATE_MARK } from '../../../../cni/host/orphan-mark.ts'
import { endOrphans } from '../../../../cni/host/orphans.ts'
import { isRunning, startShell } from './child.ts'

function fresh(): string {
  return `c-${randomBytes(8).toString('hex')}`
}

t.test('nobody there, nobody killed', async t => {
  t.equal(await endOrphans({ containerId: fresh(), graceMs: 0 }), 0)
})

t.test('a plugin that does not end is killed after its grace; those of others are not', async t => {
  const containerId = fresh()
  const mark = { [DELEGATE_MARK]: '1' }
  const hung = startShell(t, 'echo up; exec sleep 600', { ...mark, CNI_CONTAINERID: containerId })
  const strangers = [
    startShell(t, 'echo up; exec sleep 600', { ...mark, CNI_CONTAINERID: fresh() }),
    startShell(t, 'echo up; exec sleep 600', { CNI_CONTAINERID: containerId }),
  ]
  for (const child of [hung, ...strangers]) t.equal(await child.line(), 'up')
  t.equal(await endOrphans({ containerId, graceMs: 0 }), 1)
  t.notOk(isRunning(hung.process.pid ?? 0))
  for (const stranger of strangers) t.ok(isRunning(stranger.process.pid ?? 0))
})

t.test('a plugin that comes to its own end is waited for', async t => {
  const containerId = fresh()
  const busy = startShell(t, 'echo up; read go; echo down', { [DELEGATE_MARK]: '1', CNI_CONTAINERID: containerId })
  t.equal(await busy.line(), 'up')
  const ending = endOrphans({ containerId, graceMs: 20_000 })
  busy.process.stdin?.write('go\n')
  t.equal(await ending, 0)
  t.equal(await busy.line(), 'down')
})
