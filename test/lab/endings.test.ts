import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { collect } from '../machine/command.ts'
import { until } from '../machine/wait.ts'
import { leftoversOf } from './leftovers.ts'
import { listedRuns } from './registry.ts'

const program = join(import.meta.dirname, 'held-lab.ts')
const sweeper = join(import.meta.dirname, '../../scripts/lab-clean.sh')

interface Ending {
  readonly name: string
  readonly order?: string
  readonly signal?: NodeJS.Signals
  /** Exit code, or the signal it died by. */
  readonly ended: readonly [number | null, NodeJS.Signals | null]
}

const endings: readonly Ending[] = [
  { name: 'Ctrl-C', signal: 'SIGINT', ended: [null, 'SIGINT'] },
  { name: 'SIGTERM', signal: 'SIGTERM', ended: [null, 'SIGTERM'] },
  { name: 'its terminal is closed', signal: 'SIGHUP', ended: [null, 'SIGHUP'] },
  { name: 'an uncaught error', order: 'throw', ended: [1, null] },
  { name: 'process.exit in the middle', order: 'exit', ended: [7, null] },
]

for (const row of endings) {
  t.test(`${row.name} leaves nothing`, async t => {
    const { child, id } = await startHeldLab(t)
    const ended = once(child, 'exit')
    if (row.order !== undefined) child.stdin.write(`${row.order}\n`)
    if (row.signal !== undefined) child.kill(row.signal)
    t.same(await ended, row.ended)
    await nothingIsLeft(id)
  })
}

t.test('SIGTERM while it is being built leaves nothing', async t => {
  const child = spawnHeldLab(t)
  const ended = once(child, 'exit')
  const id = await until('the run to be listed', () => runOf(child.pid), { everyMs: 5 })
  child.kill('SIGTERM')
  t.notSame(await ended, [0, null])
  await nothingIsLeft(id)
})

t.test('kill -9 leaves no process; lab-clean.sh removes the rest, and no run that lives', async t => {
  const [dead, live] = await Promise.all([startHeldLab(t), startHeldLab(t)])
  dead.child.kill('SIGKILL')
  await once(dead.child, 'exit')
  await until('the children to die', () => !leftoversOf(dead.id).some(line => line.startsWith('process')))
  t.match(leftoversOf(dead.id), [/./], 'something is left to sweep')
  const before = steady(live.id)
  t.match(await collect([sweeper], { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } }), { code: 0, stderr: '' })
  await nothingIsLeft(dead.id)
  t.same(steady(live.id), before, 'the run that lives is whole')
  live.child.kill('SIGTERM')
  await once(live.child, 'exit')
  await nothingIsLeft(live.id)
})

t.test('lab-clean.sh refuses what is no run', async t => {
  for (const name of ['..', 'a/b', 'x', '']) {
    t.match(await collect(['sh', sweeper, name]), { code: 1, stderr: /not the name of a run/ }, name)
  }
})

/** Starts a lab in a process of its own, which the test ends in its own way; the teardown is for a test that failed. */
function spawnHeldLab(t: Test): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [program])
  t.teardown(() => child.kill('SIGTERM'))
  return child
}

/** The same, and waits until the lab stands. */
async function startHeldLab(t: Test): Promise<{ child: ChildProcessWithoutNullStreams; id: string }> {
  const child = spawnHeldLab(t)
  let errors = ''
  child.stderr.on('data', chunk => {
    errors += String(chunk)
  })
  const said = once(child.stdout, 'data')
  const line = await Promise.race([said, once(child, 'exit').then(() => undefined)])
  if (line === undefined) throw new Error(`the lab did not start: ${errors}`)
  return { child, id: String(line[0]).trim() }
}

/** The run that a process owns, once it is listed. */
function runOf(pid: number | undefined): string | undefined {
  return listedRuns().find(run => run.owner === pid)?.id
}

/** Pids of short-lived programs aside, what a run has. */
function steady(id: string): string[] {
  return leftoversOf(id).filter(line => !line.startsWith('process'))
}

/** The API server's folder goes a moment after its process. */
async function nothingIsLeft(id: string): Promise<void> {
  let left: string[] = []
  await until(`run ${id} to be gone`, () => {
    left = leftoversOf(id)
    return left.length === 0
  }).catch(cause => {
    throw new Error(`left behind: ${left.join(', ')}`, { cause })
  })
}
