import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Begun, begin, callerEnv, runCommand } from '../machine/command.ts'
import { until } from '../machine/wait.ts'
import { planCluster } from './cluster/plan.ts'
import { leftoversOf } from './leftovers.ts'
import { cacheFolder, clusterCommand } from './test-cluster.ts'

const root = join(import.meta.dirname, '../..')

t.test('the demo on a cluster tells its story, ends with 0 and leaves nothing', async t => {
  const { child, text } = startDemo(t, [])
  t.same(await once(child, 'close'), [0, null])
  if (!t.passing()) t.comment(text())
  for (const word of ['NoAnswer', 'Verified', 'eth0', 'net9f27410725ab', 'net48d6215903df', 'machine is as it was']) {
    t.match(text(), word)
  }
  t.notMatch(text(), '✗')
  t.same(leftoversOf(planOf(text())), [])
})

t.test('--keep leaves the cluster running; its advice works, also the one to end it', async t => {
  const { child, text } = startDemo(t, ['--keep'])
  t.same(await once(child, 'close'), [0, null])
  if (!t.passing()) t.comment(text())
  const plan = planOf(text())
  t.teardown(() => clusterCommand(plan.id, 'down'))
  const advice = [...text().matchAll(/^ {2}# .*\n {2}(.*)$/gm)].map(([, command = '']) => command)
  t.equal(advice.length, 3)
  for (const command of advice) t.match(await shell(command), /./, command)
  const [, end = ''] = /clean up:\n {2}(.*)$/m.exec(text()) ?? []
  await shell(end)
  t.same(leftoversOf(plan), [])
})

t.test('Ctrl-C in the middle leaves nothing', async t => {
  const { child, text } = startDemo(t, [])
  await until('the cluster', async () => /cluster t[0-9a-f]+\n/.test(text()) || undefined, {
    limitMs: 280_000,
    despiteErrors: true,
  })
  child.kill('SIGINT')
  await once(child, 'close')
  const plan = planOf(text())
  await until(
    'nothing left',
    async () => {
      const left = leftoversOf(plan)
      return left.length === 0 ? true : Promise.reject(new Error(left.join(', ')))
    },
    { limitMs: 60_000, despiteErrors: true },
  )
})

function startDemo(t: Test, flags: readonly string[]): Begun {
  const begun = begin([join(root, 'scripts/demo.sh'), '--cluster', ...flags], { env: callerEnv, timeoutMs: 0 })
  t.teardown(() => begun.child.kill('SIGTERM'))
  return begun
}

function planOf(output: string) {
  const [, id = ''] = /cluster (t[0-9a-f]+)\n/.exec(output) ?? []
  return planCluster(id, cacheFolder())
}

function shell(command: string): Promise<string> {
  return runCommand(['sh', '-c', `cd "$0" && ${command}`, root], { env: callerEnv })
}
