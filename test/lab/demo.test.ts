import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'

import { type Begun, begin, callerEnv, collect } from '../machine/command.ts'
import { until } from '../machine/wait.ts'
import { leftoversOf, strayLinks } from './leftovers.ts'
import { listedRuns } from './registry.ts'

const scripts = join(import.meta.dirname, '../../scripts')
const demo = join(scripts, 'demo.sh')

t.test('the demo tells its story, ends with 0 and leaves nothing', async t => {
  const { child, text } = startDemo(t, [])
  const ended = once(child, 'exit')
  const id = await runOf(child)
  t.same(await ended, [0, null])
  if (!t.passing()) t.comment(text())
  for (const word of ['eth0', 'net9f27410725ab', 'net48d6215903df', 'NoAnswer', 'Verified', 'machine is as it was']) {
    t.match(text(), word)
  }
  t.match(text(), /seen after [\d.]+ s: the WireGuard endpoint of n2 on nm-lab is wrong: loop/)
  t.match(text(), /put right after [\d.]+ s: 203\.0\.113\.12:51821/)
  t.notMatch(text(), '✗')
  t.notMatch(text(), '\u001b', 'plain text where there is no terminal')
  t.same(leftoversOf(id), [])
  t.same(strayLinks(), [])
})

t.test('--keep returns with 0; its advice works; kill ends it', async t => {
  const { child, text } = startDemo(t, ['--keep'])
  t.same(await once(child, 'close'), [0, null])
  if (!t.passing()) t.comment(text())
  const [, pid] = /^ {2}kill (\d+)$/m.exec(text()) ?? []
  const run = listedRuns().find(({ owner }) => owner === Number(pid))
  // A signal to a process that is not told would be one to all of ours.
  if (run === undefined) throw new Error(`the process to kill owns no run:\n${text()}`)
  for (const [, command = ''] of text().matchAll(/^ {2}# .*\n {2}(.*)$/gm)) {
    // On a busy machine a check may get no answer in time: the node says so, and verifies again.
    const answer = await until(`${command} to end well`, async () => {
      const { code, stdout } = await collect(['sh', '-c', command], { env: callerEnv })
      return code === 0 && stdout
    })
    t.match(answer, /./, command)
  }
  process.kill(run.owner, 'SIGTERM')
  await until('the lab to be gone', () => leftoversOf(run.id).length === 0)
})

t.test('killed with -9 and swept, it leaves nothing', async t => {
  const { child, text } = startDemo(t, [])
  const id = await runOf(child)
  await until('pods', () => text().includes('app1 reaches'), { limitMs: 120_000 })
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.match(await collect([join(scripts, 'lab-clean.sh'), id], { env: callerEnv }), { code: 0, stderr: '' })
  // The API server's folder is removed by a keeper of its own, a moment later.
  await until('nothing to be left', () => leftoversOf(id).length === 0)
})

t.test('what it refuses', async t => {
  t.match(await collect([demo, '--kep'], { env: callerEnv }), { code: 2, stdout: '', stderr: /unknown option --kep/ })
  const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', demo]
  t.match(await collect(asNobody, { env: callerEnv }), { code: 1, stdout: '', stderr: /^demo: needs root.*\n$/ })
})

function startDemo(t: Test, flags: readonly string[]): Begun {
  const begun = begin([demo, ...flags], { env: callerEnv, timeoutMs: 0 })
  t.teardown(() => begun.child.kill('SIGTERM'))
  return begun
}

/** The run of a demo: the script becomes the program that owns it, and may have to build first. */
async function runOf(child: ChildProcess): Promise<string> {
  const find = () => listedRuns().find(run => run.owner === child.pid)?.id
  return await until('the demo to begin', find, { limitMs: 280_000 })
}
