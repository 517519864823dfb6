import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ownIdentity } from '../../../../cni/host/process-identity.ts'
import { runCommand } from '../../../../cni/kactus/serve.ts'
import type { CniProcess } from '../../../../cni/kactus/skel.ts'
import type { CniCommand } from '../../../../cni/spec/plugin.ts'
import { refusalOf } from '../refusal.ts'
import { confOf, requestOf } from './fixtures.ts'

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'
const uid = process.getuid?.() ?? 0

/** A plugin that notes its call in `calls` beside it, says something on stderr and is well. */
const plugin = `#!/bin/sh
cat >/dev/null
echo "$CNI_COMMAND $CNI_IFNAME $NOPAL_KACTUS_DELEGATE $ODD" >>"$(dirname "$0")/calls"
echo "hello from $CNI_COMMAND" >&2
[ "$CNI_COMMAND" != ADD ] || echo '{"ips":[{"address":"10.1.0.2/24"}]}'
`

interface Real {
  readonly bin: string
  readonly state: string
  run(command: CniCommand, more?: Readonly<Record<string, unknown>>, netns?: string): Promise<unknown>
  readonly stderr: () => string
  readonly calls: () => readonly string[]
}

/** The command with real files and processes. */
function real(t: Test, env: Readonly<Record<string, string>> = {}): Real {
  const folder = t.testdir({ bin: { main: plugin } })
  const bin = join(folder, 'bin')
  chmodSync(join(bin, 'main'), 0o755)
  const state = join(folder, 'state')
  const said: string[] = []
  const io: CniProcess = {
    env: { PATH, ODD: 'kept', ...env },
    version: 'test',
    readStdin: async () => '',
    stdout: () => t.fail('only the dispatcher writes to stdout'),
    stderr: text => said.push(text),
  }
  const run = (command: CniCommand, more: Readonly<Record<string, unknown>> = {}, netns = '/none/such') => {
    const conf = confOf({ cniDir: state, agentSocket: '', ...more })
    return runCommand(io, uid, { conf, request: requestOf(command, { args: '', path: bin, netns }) })
  }
  const calls = () =>
    existsSync(join(bin, 'calls')) ? readFileSync(join(bin, 'calls'), 'utf8').trim().split('\n') : []
  return { bin, state, run, stderr: () => said.join(''), calls }
}

t.test('from ADD to GC', async t => {
  const { run, calls, state } = real(t)
  t.match(await run('ADD'), { ips: [{ address: '10.1.0.2/24' }] })
  t.equal(await run('CHECK', { prevResult: {} }), undefined)
  t.equal(await run('GC', { 'cni.dev/valid-attachments': [{ containerID: 'c1', ifname: 'eth0' }] }), undefined)
  t.strictSame(readdirSync(join(state, 'records')), ['c1.json'])
  t.equal(await run('DEL'), undefined)
  t.equal(await run('VERSION'), undefined)
  t.strictSame(
    calls(),
    ['ADD eth0', 'CHECK eth0', 'GC ', 'DEL eth0'].map(call => `${call} ${ownIdentity()} kept`),
  )
  t.strictSame(readdirSync(join(state, 'records')), [])
})

t.test('what a plugin says on stderr is passed on', async t => {
  const { run, stderr } = real(t)
  await run('ADD')
  t.equal(stderr(), 'hello from ADD\n')
})

t.test('a plugin of ours that runs us gets nothing done, not even a line in the log that it chose', async t => {
  const { run, bin, state } = real(t)
  const logFile = join(t.testdirName, 'chosen.log')
  const program = `#!/bin/sh\necho "{\\"code\\":7,\\"msg\\":\\"$NOPAL_KACTUS_INSIDE\\"}"\nexit 1\n`
  writeFileSync(join(bin, 'main'), program)
  t.equal((await refusalOf(() => run('ADD'))).message, '1', 'our mark reaches a plugin')
  const inside = real(t, { NOPAL_KACTUS_INSIDE: '1' })
  for (const command of ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS'] as const) {
    const error = await refusalOf(() => inside.run(command, { logFile, logLevel: 'debug', cniDir: `${state}-chosen` }))
    t.equal(error.code, 111, command)
  }
  t.strictSame(inside.calls(), [])
  t.notOk(existsSync(logFile))
  t.notOk(existsSync(`${state}-chosen`))
})

interface NetnsCase {
  readonly name: string
  readonly command: CniCommand
  readonly env: Readonly<Record<string, string>>
  readonly isRefused: boolean
}

const netnsCases: readonly NetnsCase[] = [
  { name: 'ADD', command: 'ADD', env: {}, isRefused: true },
  { name: 'DEL', command: 'DEL', env: {}, isRefused: true },
  { name: 'ADD that may', command: 'ADD', env: { CNI_NETNS_OVERRIDE: '1' }, isRefused: false },
  { name: 'DEL that may', command: 'DEL', env: { CNI_NETNS_OVERRIDE: 'TRUE' }, isRefused: false },
  { name: 'ADD that may not', command: 'ADD', env: { CNI_NETNS_OVERRIDE: 'yes' }, isRefused: true },
]

for (const { name, command, env, isRefused } of netnsCases) {
  t.test(`in our own network namespace: ${name}`, async t => {
    const { run, calls } = real(t, env)
    const work = () => run(command, {}, '/proc/self/ns/net')
    if (isRefused) t.equal((await refusalOf(work)).code, 8)
    else await work()
    t.equal(calls().length, isRefused ? 0 : 1)
  })
}

t.test('STATUS says why an ADD could not be served', async t => {
  const { run, state } = real(t)
  const error = await refusalOf(() => run('STATUS', { kubeconfig: '/none/such' }))
  t.equal(error.code, 50)
  t.match(error.message, /no way to the Kubernetes API: \/none\/such cannot be read: ENOENT/)
  t.ok(existsSync(join(state, 'locks')))
})

t.test('a plugin that is missing, and one that fails without a word', async t => {
  const { run, bin } = real(t)
  t.equal((await refusalOf(() => run('ADD', { delegates: [{ type: 'none' }] }))).code, 106)
  writeFileSync(join(bin, 'main'), '#!/bin/sh\nexit 3\n')
  t.equal((await refusalOf(() => run('ADD'))).code, 107)
})

interface LogCase {
  readonly name: string
  readonly env: Readonly<Record<string, string>>
  readonly conf: Readonly<Record<string, unknown>>
  /** Messages of the log. */
  readonly want: readonly RegExp[]
}

const logCases: readonly LogCase[] = [
  { name: 'nothing unless something fails', env: {}, conf: {}, want: [] },
  {
    name: 'as the variable says',
    env: { _CNI_LOGGING_LEVEL: '2' },
    conf: {},
    want: [/^added the default network$/, /^ADD done$/],
  },
  {
    name: 'as the configuration says, above the variable',
    env: { _CNI_LOGGING_LEVEL: '3' },
    conf: { logLevel: 'error' },
    want: [],
  },
  {
    name: 'with a prefix',
    env: { _CNI_LOGGING_LEVEL: 'info', _CNI_LOGGING_PREFIX: 'n1: ' },
    conf: {},
    want: [/^n1: added/, /^n1: ADD done$/],
  },
  { name: 'a level nobody knows is none', env: { _CNI_LOGGING_LEVEL: '9' }, conf: {}, want: [] },
]

for (const { name, env, conf, want } of logCases) {
  t.test(`log: ${name}`, async t => {
    const { run, state } = real(t, { ...env, _CNI_LOGGING_FILE: join(t.testdirName, 'log') })
    mkdirSync(state)
    await run('ADD', conf)
    const file = join(t.testdirName, 'log')
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
    const messages = lines.map(line => (JSON.parse(line) as { msg: string }).msg)
    t.equal(messages.length, want.length)
    want.forEach((pattern, index) => void t.match(messages[index], pattern))
  })
}

t.test('log: a failure is one line with its code; a relative file is none', async t => {
  const { run, stderr } = real(t, { _CNI_LOGGING_FILE: 'log' })
  await refusalOf(() => run('ADD', { delegates: [{ type: 'none' }] }))
  t.match(JSON.parse(stderr()), {
    level: 'error',
    msg: /^ADD failed: plugin "none"/,
    code: 106,
    verb: 'ADD',
    container: 'c1',
  })
  t.notOk(existsSync('log'))
})

t.test('a record that is damaged is told of on stderr, whatever the log does', async t => {
  const { run, state, stderr } = real(t, { _CNI_LOGGING_FILE: join(t.testdirName, 'log') })
  mkdirSync(join(state, 'records'), { recursive: true })
  writeFileSync(join(state, 'records/c1.json'), 'junk')
  await run('DEL')
  t.match(stderr(), /^kactus: the record of container c1 is damaged and lies in .* now: /)
})
