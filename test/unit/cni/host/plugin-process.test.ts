import { chmodSync, closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { PluginProcesses, type PluginProcessOptions } from '../../../../cni/host/plugin-process.ts'
import type { PluginCall } from '../../../../cni/spec/plugin.ts'
import { until } from '../../../machine/wait.ts'
import { refusalOf } from '../refusal.ts'
import { isRunning } from './child.ts'

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'
const NOT_FOUND = 106
const FAILED = 107

interface Bench {
  readonly folder: string
  readonly runner: PluginProcesses
  readonly stderr: () => string
}

/** A plugin `fake` that runs a piece of shell. */
function bench(t: Test, script: string, options: Partial<PluginProcessOptions> = {}): Bench {
  const folder = t.testdir({})
  const path = join(folder, 'fake')
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  const said: Uint8Array[] = []
  const runner = new PluginProcesses({
    folders: [folder],
    env: { PATH, CNI_CONTAINERID: 'of another' },
    timeoutMs: 60_000,
    stderr: chunk => said.push(chunk),
    codes: { notFound: NOT_FOUND, failed: FAILED },
    ...options,
  })
  return { folder, runner, stderr: () => Buffer.concat(said).toString() }
}

function callOf(command: PluginCall['command'], more: Partial<PluginCall> = {}): PluginCall {
  return { command, type: 'fake', config: { type: 'fake' }, variables: { CNI_COMMAND: command }, ...more }
}

interface AnswerCase {
  readonly name: string
  readonly command: PluginCall['command']
  readonly script: string
  readonly want: unknown
}

const answerCases: readonly AnswerCase[] = [
  { name: 'a result', command: 'ADD', script: `cat >/dev/null; echo '{"ips":[]}'`, want: { ips: [] } },
  { name: 'nothing', command: 'DEL', script: 'cat >/dev/null', want: undefined },
  { name: 'white space', command: 'CHECK', script: 'cat >/dev/null; echo; echo', want: undefined },
  { name: 'chatter, where no answer is due', command: 'DEL', script: 'cat >/dev/null; echo done', want: undefined },
  { name: 'the configuration back', command: 'ADD', script: 'cat', want: { type: 'fake' } },
  { name: 'a result after its stdin was closed unread', command: 'ADD', script: `exec <&-; echo '{}'`, want: {} },
]

for (const { name, command, script, want } of answerCases) {
  t.test(`${command} answers ${name}`, async t => {
    t.strictSame(await bench(t, script).runner.run(callOf(command)), want)
  })
}

interface FailureCase {
  readonly name: string
  readonly command?: PluginCall['command']
  readonly script: string
  readonly code: number
  readonly message: RegExp
  readonly details?: string | undefined
}

const failureCases: readonly FailureCase[] = [
  {
    name: 'in its own words',
    script: `cat >/dev/null; echo '{"cniVersion":"1.0.0","code":11,"msg":"later","details":"busy"}'; exit 1`,
    code: 11,
    message: /^later$/,
    details: 'busy',
  },
  {
    name: 'in its own words without details',
    script: `echo '{"code":7,"msg":"no","details":""}'; exit 3`,
    code: 7,
    message: /^no$/,
  },
  { name: 'silently', script: 'exit 4', code: FAILED, message: /exit code 4\) without an answer$/ },
  {
    name: 'on stderr only',
    script: 'echo bad subnet >&2; exit 1',
    code: FAILED,
    message: /exit code 1\) without an answer$/,
    details: 'stderr: bad subnet',
  },
  { name: 'by a signal', script: 'kill -TERM $$', code: FAILED, message: /signal SIGTERM\) without an answer$/ },
  { name: 'with text', script: 'echo oops; exit 1', code: FAILED, message: /its answer is no error document$/ },
  { name: 'with a list', script: `echo '[]'; exit 1`, code: FAILED, message: /no error document$/ },
  {
    name: 'with a code of zero',
    script: `echo '{"code":0,"msg":"its IPAM died","details":"killed"}'; exit 1`,
    code: FAILED,
    message: /^its IPAM died$/,
    details: 'killed',
  },
  {
    name: 'with a code of text',
    script: `echo '{"code":"7","msg":"x"}'; exit 1`,
    code: FAILED,
    message: /^x$/,
  },
  {
    name: 'with a code beyond all numbers',
    script: `echo '{"code":9007199254740993,"msg":"x"}'; exit 1`,
    code: FAILED,
    message: /^x$/,
  },
  {
    name: 'with an empty message',
    script: `echo '{"code":0,"msg":""}'; exit 1`,
    code: FAILED,
    message: /no error doc/,
  },
  { name: 'without a message', script: `echo '{"code":7}'; exit 1`, code: FAILED, message: /no error document$/ },
  {
    name: 'well, but its result is no JSON',
    script: `echo '{"ips":'; echo hm >&2`,
    code: FAILED,
    message: /ADD: ended well but its result is no JSON/,
    details: 'stderr: hm',
  },
]

for (const { name, command = 'ADD', script, code, message, details } of failureCases) {
  t.test(`a plugin ends ${name}`, async t => {
    const error = await refusalOf(() => bench(t, script).runner.run(callOf(command)))
    t.equal(error.code, code)
    t.match(error.message, message)
    t.equal(error.details, details)
  })
}

t.test('what a plugin says on stderr is passed on, and quoted only in part', async t => {
  const { runner, stderr } = bench(t, 'head -c 100000 /dev/zero | tr "\\0" x >&2; exit 1')
  const error = await refusalOf(() => runner.run(callOf('ADD')))
  t.equal(stderr().length, 100_000)
  t.equal(error.details, `stderr: ${'x'.repeat(2000)}`)
})

t.test('environment: the variables of the call over those that are inherited', async t => {
  const { runner, folder } = bench(t, 'cat >/dev/null; env >"$(dirname "$0")/env"')
  await runner.run(
    callOf('STATUS', { variables: { CNI_COMMAND: 'STATUS', CNI_CONTAINERID: undefined, CNI_ARGS: 'A=1' } }),
  )
  const lines = readFileSync(join(folder, 'env'), 'utf8').split('\n')
  t.ok(lines.includes('CNI_COMMAND=STATUS'))
  t.ok(lines.includes('CNI_ARGS=A=1'))
  t.ok(lines.includes(`PATH=${PATH}`))
  t.ok(lines.includes(`CNI_PATH=${folder}`))
  t.notOk(
    lines.some(line => line.startsWith('CNI_CONTAINERID')),
    'one that is undefined is taken away',
  )
})

t.test('the whole configuration is on stdin', async t => {
  const { runner } = bench(t, 'wc -c | { read n; echo "{\\"n\\":$n}"; }')
  const config = { type: 'fake', filler: 'x'.repeat(500_000) }
  t.strictSame(await runner.run(callOf('ADD', { config })), { n: JSON.stringify(config).length })
})

t.test('a plugin that ends without reading a large stdin counts by how it ended', async t => {
  const config = { type: 'fake', filler: 'x'.repeat(2_000_000) }
  t.strictSame(await bench(t, `echo '{}'`).runner.run(callOf('ADD', { config })), {})
  const error = await refusalOf(() =>
    bench(t, `echo '{"code":8,"msg":"n"}'; exit 1`).runner.run(callOf('ADD', { config })),
  )
  t.equal(error.code, 8)
})

/** Runs a plugin that hangs; once more, with a longer limit, while it has not come so far as to write its `pid`. */
async function hang(t: Test, script: string) {
  for (let timeoutMs = 300; ; timeoutMs *= 2) {
    const { runner, folder } = bench(t, script, { timeoutMs })
    const error = await refusalOf(() => runner.run(callOf('ADD')))
    const file = join(folder, 'pid')
    const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
    if (pid > 0) return { error, pid, timeoutMs }
  }
}

t.test('a plugin that hangs ends with all it started', async t => {
  const { error, pid, timeoutMs } = await hang(t, 'sleep 600 & echo $! >"$(dirname "$0")/pid"; wait')
  t.equal(error.code, FAILED)
  t.match(error.message, `did not end within ${timeoutMs / 1000} s`)
  await until('the end of what it started', () => !isRunning(pid))
})

t.test('a process that left its group and keeps the output open holds nobody up', async t => {
  const { error, pid } = await hang(t, 'setsid sh -c \'echo $$ >"$0/pid"; exec sleep 600\' "$(dirname "$0")" & wait')
  process.kill(pid, 'SIGKILL')
  t.match(error.message, /did not end within/)
})

t.test('a plugin that says too much is ended', async t => {
  const error = await refusalOf(() => bench(t, 'exec cat /dev/zero').runner.run(callOf('ADD')))
  t.equal(error.code, FAILED)
  t.match(error.message, /said more than \d+ bytes$/)
})

t.test('a plugin that is not installed', async t => {
  const { runner } = bench(t, 'exit 0')
  const error = await refusalOf(() => runner.find('other'))
  t.equal(error.code, NOT_FOUND)
  t.match(error.details, /^looked in \//)
  t.equal((await refusalOf(() => runner.run(callOf('ADD', { type: 'other' })))).code, NOT_FOUND)
  const nowhere = new PluginProcesses({
    folders: [],
    env: {},
    timeoutMs: 1,
    stderr: () => undefined,
    codes: { notFound: 1, failed: 2 },
  })
  t.match(await refusalOf(() => nowhere.find('fake')), { code: 1, details: 'looked in no folder' })
})

t.test('a file that cannot be executed', async t => {
  const { runner, folder } = bench(t, 'exit 0')
  chmodSync(join(folder, 'fake'), 0o644)
  const error = await refusalOf(() => runner.run(callOf('ADD')))
  t.equal(error.code, FAILED)
  t.match(error.message, /could not be started: EACCES$/)
})

t.test('a file that is no program', async t => {
  const { runner, folder } = bench(t, 'exit 0')
  writeFileSync(join(folder, 'fake'), '#!/none/such/shell\n')
  t.match((await refusalOf(() => runner.run(callOf('ADD')))).message, /could not be started: ENOENT$/)
})

t.test('a plugin is looked for once', async t => {
  const { runner, folder } = bench(t, 'exit 0')
  t.equal(await runner.find('fake'), join(folder, 'fake'))
  chmodSync(join(folder, 'fake'), 0o000)
  t.equal(await runner.find('fake'), join(folder, 'fake'))
})

t.test('an executable that is being written is tried again', async t => {
  const { runner, folder } = bench(t, `cat >/dev/null; echo '{}'`)
  await runner.find('fake')
  const installer = openSync(join(folder, 'fake'), 'r+')
  const running = runner.run(callOf('ADD'))
  // Found already, so by now the first try was made, and was refused.
  await setImmediate()
  closeSync(installer)
  t.strictSame(await running, {})
})
