import t from 'tap'
import { InputError } from '../../../../cni/host/stdin.ts'
import { type RunCommand, serveWith } from '../../../../cni/kactus/serve.ts'
import { type CniProcess, dispatch } from '../../../../cni/kactus/skel.ts'
import { CniError } from '../../../../cni/spec/errors.ts'

const full = { CNI_CONTAINERID: 'c1', CNI_NETNS: '/x', CNI_IFNAME: 'eth0', CNI_PATH: '/bin' }
const conf = '{"name":"n","cniVersion":"1.1.0"}'

interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** Commands that were run. */
  readonly ran: readonly string[]
  readonly reads: number
}

interface Given {
  readonly command?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string | Error
  readonly run?: RunCommand
}

async function run({ command, env = full, stdin = conf, run = async () => undefined }: Given): Promise<Run> {
  const stdout: string[] = []
  const stderr: string[] = []
  let reads = 0
  const ran: string[] = []
  const io: CniProcess = {
    env: { ...env, CNI_COMMAND: command },
    version: '1.2.3',
    readStdin: async () => {
      reads++
      if (stdin instanceof Error) throw stdin
      return stdin
    },
    stdout: text => stdout.push(text),
    stderr: text => stderr.push(text),
  }
  const noted: RunCommand = (request, conf) => {
    ran.push(request.command)
    return run(request, conf)
  }
  const code = await dispatch(io, () => serveWith(io, noted))
  return { code, ran, reads, stdout: stdout.join(''), stderr: stderr.join('') }
}

function documentOf(run: Run): unknown {
  t.match(run.stdout, /^[^\n]+\n$/, 'one document on one line')
  return JSON.parse(run.stdout)
}

t.test('no command: what it is, on stderr', async t => {
  for (const command of [undefined, '']) {
    const answer = await run(command === undefined ? {} : { command })
    t.match(answer, { code: 0, stdout: '', reads: 0, ran: [] })
    t.match(answer.stderr, /^kactus 1\.2\.3.*\nCNI versions: 0\.1\.0, .*1\.1\.0\n$/)
  }
})

interface VersionCase {
  readonly name: string
  readonly stdin: string | Error
  readonly want: string
}

const versionCases: readonly VersionCase[] = [
  { name: 'its own', stdin: '{"cniVersion":"0.4.0"}', want: '0.4.0' },
  { name: 'one nobody knows', stdin: '{"cniVersion":"9.9.9"}', want: '1.1.0' },
  { name: 'none', stdin: '', want: '1.1.0' },
  { name: 'an input that cannot be read', stdin: new InputError('TimedOut', 'late'), want: '1.1.0' },
]

for (const { name, stdin, want } of versionCases) {
  t.test(`VERSION with ${name}`, async t => {
    const answer = await run({ command: 'VERSION', env: {}, stdin })
    t.equal(answer.code, 0)
    t.strictSame(documentOf(answer), {
      cniVersion: want,
      supportedVersions: ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'],
    })
    t.strictSame(answer.ran, [])
  })
}

t.test('a result is printed to the last digit', async t => {
  const answer = await run({
    command: 'ADD',
    run: async (_request, conf) => conf.document,
    stdin: '{"name":"n","x":9007199254740993}',
  })
  t.equal(answer.stdout, '{"name":"n","x":9007199254740993}\n')
  t.equal(answer.code, 0)
})

t.test('nothing to say: nothing on stdout', async t => {
  t.match(await run({ command: 'DEL' }), { code: 0, stdout: '', stderr: '', ran: ['DEL'] })
})

interface RefusedCase {
  readonly name: string
  readonly given: Given
  readonly code: number
  readonly version?: string
  readonly reads?: number
}

const refusedCases: readonly RefusedCase[] = [
  { name: 'variables come before stdin', given: { command: 'ADD', env: {}, stdin: 'junk' }, code: 4, reads: 0 },
  { name: 'a command nobody knows', given: { command: 'FOO' }, code: 4, reads: 0 },
  { name: 'no JSON', given: { command: 'ADD', stdin: 'junk' }, code: 6 },
  { name: 'no name', given: { command: 'ADD', stdin: '{"cniVersion":"9.9.9"}' }, code: 7 },
  { name: 'a version nobody knows', given: { command: 'ADD', stdin: '{"name":"n","cniVersion":"9.9.9"}' }, code: 1 },
  { name: 'stdin too large', given: { command: 'ADD', stdin: new InputError('TooLarge', 'large') }, code: 5 },
  { name: 'another fault at stdin', given: { command: 'ADD', stdin: new TypeError('x') }, code: 999 },
  {
    name: 'CHECK before its time',
    given: { command: 'CHECK', stdin: '{"name":"n","cniVersion":"0.3.1"}' },
    code: 1,
    version: '0.3.1',
  },
  {
    name: 'STATUS before its time',
    given: { command: 'STATUS', stdin: '{"name":"n","cniVersion":"1.0.0"}' },
    code: 1,
    version: '1.0.0',
  },
  {
    name: 'GC before its time',
    given: { command: 'GC', stdin: '{"name":"n","cniVersion":"1.0.0"}' },
    code: 1,
    version: '1.0.0',
  },
]

for (const { name, given, code, version = '1.1.0', reads = 1 } of refusedCases) {
  t.test(`refused, and nothing ran: ${name}`, async t => {
    const answer = await run(given)
    t.equal(answer.code, 1)
    t.match(documentOf(answer), { cniVersion: version, code, msg: /\w/ })
    t.strictSame(answer.ran, [])
    t.equal(answer.reads, reads)
  })
}

for (const [command, version] of [
  ['CHECK', '0.4.0'],
  ['STATUS', '1.1.0'],
  ['GC', '1.1.0'],
  ['ADD', '0.1.0'],
  ['DEL', '0.1.0'],
] as const) {
  t.test(`${command} from ${version} on`, async t => {
    const answer = await run({ command, stdin: `{"name":"n","cniVersion":"${version}"}` })
    t.match(answer, { code: 0, ran: [command] })
  })
}

t.test('a failure in its own words, in the version of the configuration', async t => {
  const fail = (error: unknown) =>
    run({ command: 'ADD', stdin: '{"name":"n","cniVersion":"0.4.0"}', run: () => Promise.reject(error) })
  const known = await fail(new CniError(77, 'as it said', { details: 'more' }))
  t.strictSame(documentOf(known), { cniVersion: '0.4.0', code: 77, msg: 'as it said', details: 'more' })
  const bare = await fail(new CniError(78, 'short'))
  t.strictSame(documentOf(bare), { cniVersion: '0.4.0', code: 78, msg: 'short' })
  t.match(documentOf(await fail(new Error('two\nlines'))), { code: 999, msg: 'two\nlines' })
})
