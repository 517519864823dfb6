import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { run } from '../../../../agent/commands/run.ts'
import * as documents from '../../../page/documents.ts'
import { serve } from '../kube/test-server.ts'

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command line with an environment that knows no cluster and no file but those the row names. */
async function runNopal(t: Test, args: string, env: Record<string, string> = {}, isTTY = false): Promise<Ended> {
  const written = { stdout: '', stderr: '' }
  const folder = t.testdir({ 'nopal.ini': '[agent]\nlog-format = json\n' })
  const code = await run({
    args: args.split(' '),
    env: { NOPAL_CONFIG: join(folder, 'nopal.ini'), NOPAL_VERIFY_FROM: 'host', CHECK_TIMEOUT: '2s', ...env },
    stdout: { isTTY, write: text => (written.stdout += text) },
    stderr: { write: text => (written.stderr += text) },
    stdin: () => process.stdin,
    self: [],
    hostname: 'n1',
    version: '1.2.3',
    kactusBinary: '/nowhere/kactus',
    ended: new AbortController().signal,
  })
  return { code, ...written }
}

interface ExitCase {
  readonly name: string
  readonly args: string
  readonly env?: Record<string, string>
  readonly code: number
  readonly stdout?: RegExp
  readonly stderr?: RegExp
}

const cases: readonly ExitCase[] = [
  { name: 'version', args: '--version', code: 0, stdout: /^1\.2\.3\n$/, stderr: /^$/ },
  { name: 'help', args: '--help', code: 0, stdout: /nopal verify/, stderr: /^$/ },
  { name: 'no such command', args: 'verfy', code: 2, stdout: /^$/, stderr: /^nopal: .*verfy/ },
  { name: 'no such option', args: 'verify --fast', code: 2, stdout: /^$/, stderr: /^nopal: verify: .*--fast/ },
  { name: 'no such place', args: 'verify --dry-run --from moon', code: 2, stdout: /^$/, stderr: /--from .*moon/ },
  { name: 'no such time', args: 'uninstall-all --within soon', code: 2, stdout: /^$/, stderr: /number of seconds/ },
  {
    name: 'no cluster to take nopal off',
    args: 'uninstall-all',
    env: { KUBECONFIG: '/nowhere/config' },
    code: 3,
    stdout: /^$/,
    stderr: /^nopal: .*\/nowhere\/config/m,
  },
  {
    name: 'faults of settings, all in one message',
    args: 'verify --dry-run',
    env: { RETRY_BACKOFF: 'often', NOPAL_VERIFY_TPC: 'a:1' },
    code: 2,
    stdout: /^$/,
    stderr: /^nopal: setting NOPAL_VERIFY_TPC: unknown name \(a:1\)\nnopal: setting RETRY_BACKOFF: .*\(often\)\n$/,
  },
  { name: 'the agent needs the name of its node', args: 'agent', code: 2, stdout: /^$/, stderr: /setting NODE_NAME/ },
  {
    name: 'a kubeconfig that is not there, in a dry run too',
    args: 'verify --dry-run',
    env: { KUBECONFIG: '/nowhere/config' },
    code: 3,
    stdout: /^$/,
    stderr: /^nopal: .*\/nowhere\/config/m,
  },
  {
    name: 'no cluster, and no dry run',
    args: 'verify',
    env: { NODE_NAME: 'n1' },
    code: 3,
    stdout: /^$/,
    stderr: /^nopal: /m,
  },
  {
    name: 'no agent to ask',
    args: 'status',
    env: { NOPAL_AGENT_LISTEN: '127.0.0.1:1' },
    code: 3,
    stdout: /^$/,
    stderr: /^nopal: /m,
  },
]

for (const { name, args, env, code, stdout, stderr } of cases) {
  t.test(`nopal ${args}: ${name}`, async t => {
    const ended = await runNopal(t, args, env)
    t.equal(ended.code, code, ended.stderr)
    if (stdout !== undefined) t.match(ended.stdout, stdout)
    if (stderr !== undefined) t.match(ended.stderr, stderr)
  })
}

interface Summary {
  readonly node: string
  readonly passed: boolean
  readonly dryRun: boolean
  readonly checks: readonly { code: string; from: string; result: string; reason?: string; target: string }[]
}

async function verifyAlone(t: Test, port: number): Promise<{ code: number; verdict: Summary; stderr: string }> {
  const env = { NOPAL_VERIFY_TCP: `127.0.0.1:${port}` }
  const { code, stdout, stderr } = await runNopal(t, 'verify --dry-run --output json', env)
  return { code, verdict: JSON.parse(stdout) as Summary, stderr }
}

t.test('a dry run without a cluster says what it skipped, and lives by the rest', async t => {
  const server = createServer(socket => socket.destroy())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const well = await verifyAlone(t, port)
  t.equal(well.code, 0)
  t.match(well.verdict, { node: 'n1', passed: true, dryRun: true })
  t.match(well.stderr, /what needs a cluster is skipped/)
  const skipped = well.verdict.checks.filter(each => each.result === 'skip')
  t.same([...new Set(skipped.map(each => each.code))].sort(), ['api', 'dns', 'mtu', 'peers', 'services', 'tcp'])
  for (const code of ['api', 'dns', 'services', 'tcp']) {
    const reasons = skipped.filter(each => each.code === code).map(each => each.reason)
    t.same([...new Set(reasons)], ['NoCluster'], code)
  }
  t.same(
    well.verdict.checks.filter(each => each.result === 'pass').map(each => each.target),
    [`127.0.0.1:${port}`],
  )
  await new Promise(resolve => server.close(resolve))
  const bad = await verifyAlone(t, port)
  t.equal(bad.code, 1)
  t.match(bad.verdict, { passed: false, dryRun: true })
})

/** What a server says that wants to steer its reader's terminal. */
const hostile = 'a\u001b]0;owned\u0007\u001b[2J\u009b31m\r\u202eb\nc'
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
const steers = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/

t.test('what another process says reaches no terminal with control characters: status', async t => {
  const check = {
    code: 'dns',
    from: 'host',
    target: hostile,
    result: 'fail',
    message: hostile,
    reason: hostile,
    seconds: 1,
  }
  const status = {
    node: hostile,
    version: hostile,
    startTime: hostile,
    time: hostile,
    facts: [{ name: hostile, text: hostile }],
    missing: [hostile],
    problems: [hostile],
    verdict: { node: hostile, passed: false, dryRun: false, seconds: 1, checks: [check] },
    more: { [hostile]: hostile },
  }
  const url = new URL(await serve(t, (_, response) => response.end(JSON.stringify(status))))
  const env = { NOPAL_AGENT_LISTEN: url.host }
  for (const args of ['status', 'status --output json']) {
    const { code, stdout, stderr } = await runNopal(t, args, env)
    t.equal(code, 1, stderr)
    t.notMatch(stdout, steers, args)
    t.match(stdout, 'owned')
  }
  const { stdout } = await runNopal(t, 'status --output json', env)
  t.same(JSON.parse(stdout), status, 'and the document means the same')
  const lines = (await runNopal(t, 'status', env)).stdout.split('\n')
  t.notOk(
    lines.some(line => line.startsWith('c')),
    'no line is its own',
  )
})

t.test(
  'status: of the agent or the leader, coloured on a terminal that wants it, exit 1 when something is not well',
  async t => {
    const serving = async (document: unknown) =>
      new URL(await serve(t, (_, response) => response.end(JSON.stringify(document)))).host
    const env = {
      NOPAL_AGENT_LISTEN: await serving(documents.leak),
      NOPAL_LEADER_LISTEN: await serving(documents.leader),
      TERM: 'xterm',
    }
    const red = '\u001b[31m✗ Not well'
    t.match(await runNopal(t, 'status', env, true), { code: 1, stdout: red })
    for (const given of [{ NO_COLOR: '1' }, { TERM: 'dumb' }])
      t.notMatch((await runNopal(t, 'status', { ...env, ...given }, true)).stdout, '\u001b')
    t.match(await runNopal(t, 'status', env), { code: 1, stdout: /^worker-fsn1-01 {2}✗ Not well\n/ })
    t.match(await runNopal(t, 'status --leader', env), { code: 0, stdout: /^leader {2}✓ Leads\n/ })
    const { stdout } = await runNopal(t, 'status --output json', env, true)
    t.same(JSON.parse(stdout), documents.leak)
  },
)

const { leak, leader, well } = documents
const stale = { ...well.wireguard.devices[0]?.links[0], class: 'stale', bad: true, why: 'silent' }

interface StatusCase {
  readonly name: string
  readonly document: object
  readonly code: number
  readonly head: RegExp
}

const statusCases: readonly StatusCase[] = [
  { name: 'well', document: well, code: 0, head: /^\S+ {2}✓ Well\n/ },
  {
    name: 'a pod lacks a network',
    document: { ...well, attachments: leak.attachments },
    code: 1,
    head: /^\S+ {2}✗ Not all well\n1 network of pods is missing\n/,
  },
  {
    name: 'a peer is silent, of which the check only warns',
    document: { ...well, wireguard: { devices: [{ name: 'nm-lab', readable: true, links: [stale] }] } },
    code: 1,
    head: /^\S+ {2}✗ Not all well\n1 WireGuard peer is not well\n/,
  },
  {
    name: 'a device cannot be read',
    document: { ...well, wireguard: { devices: [{ name: 'nm-lab', readable: false, links: [] }] } },
    code: 1,
    head: /^\S+ {2}✗ Not all well\nnm-lab cannot be read\n/,
  },
  {
    name: 'the last egress pass failed',
    document: { ...leader, egressError: 'no answer' },
    code: 1,
    head: /^leader {2}✗ Leads, not all well\nthe last pass of the egress rules failed: no answer\n/,
  },
]

for (const { name, document, code, head } of statusCases) {
  t.test(`status: word, exit code and what is red agree: ${name}`, async t => {
    const url = new URL(await serve(t, (_, response) => response.end(JSON.stringify(document))))
    const ended = await runNopal(t, 'status', { NOPAL_AGENT_LISTEN: url.host })
    t.match(ended, { code, stdout: head })
    t.equal(/^ ✗ /m.test(ended.stdout), code === 1, 'red on the screen')
  })
}

t.test('what another process says reaches no terminal with control characters: the API', async t => {
  const said = { kind: 'Status', message: hostile, code: 403 }
  const server = await serve(t, (_, response) => response.writeHead(403).end(JSON.stringify(said)))
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user: { token: 't' } }],
  }
  const folder = mkdtempSync(join(tmpdir(), 'nopal-run-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'config'), JSON.stringify(kubeconfig))
  const env = { NODE_NAME: 'n1', KUBECONFIG: join(folder, 'config'), NOPAL_INSTALL_HOST_ROOT: folder }
  for (const args of ['verify', 'verify --output json', 'uninstall']) {
    const { stdout, stderr } = await runNopal(t, args, env)
    t.notMatch(stdout + stderr, steers, args)
    t.match(stdout + stderr, 'owned', args)
  }
})
