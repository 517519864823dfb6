import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import t from 'tap'

const program = join(import.meta.dirname, '../../../../cni/kactus/main.ts')

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function run(env: Readonly<Record<string, string>>, stdin: string | Uint8Array): Promise<Ended> {
  const coverage = process.env.NODE_V8_COVERAGE
  const child = spawn(process.execPath, [program], {
    env: { PATH: '/usr/bin:/bin', ...(coverage !== undefined && { NODE_V8_COVERAGE: coverage }), ...env },
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(stdin)
  const ended = once(child, 'close')
  const [stdout, stderr] = await Promise.all([buffer(child.stdout), buffer(child.stderr)])
  const [code] = await ended
  return { code, stdout: stdout.toString(), stderr: stderr.toString() }
}

t.test('VERSION', async t => {
  const { code, stdout, stderr } = await run({ CNI_COMMAND: 'VERSION' }, '{"cniVersion":"1.0.0"}')
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { cniVersion: '1.0.0', supportedVersions: ['0.1.0'] })
  t.equal(stderr, '')
})

t.test('no command', async t => {
  const { code, stdout, stderr } = await run({}, '')
  t.match({ code, stdout }, { code: 0, stdout: '' })
  t.match(stderr, /^kactus development/)
})

t.test('a failure is one document and an exit code', async t => {
  const { code, stdout, stderr } = await run({ CNI_COMMAND: 'ADD' }, '')
  t.equal(code, 1)
  t.match(JSON.parse(stdout), { cniVersion: '1.1.0', code: 4, msg: /CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_PATH/ })
  t.equal(stderr, '')
})

t.test('a whole command', async t => {
  const cniDir = t.testdir({})
  const env = { CNI_COMMAND: 'DEL', CNI_CONTAINERID: 'c1', CNI_IFNAME: 'eth0', CNI_PATH: cniDir }
  const conf = { name: 'n', cniVersion: '1.0.0', cniDir, delegates: [{ type: 'none' }] }
  const { code, stdout, stderr } = await run(env, JSON.stringify(conf))
  t.equal(code, 1)
  t.match(JSON.parse(stdout), { cniVersion: '1.0.0', code: 106 })
  for (const line of stderr.trim().split('\n')) t.match(JSON.parse(line), { level: 'error', container: 'c1' })
})

t.test('an input without measure', async t => {
  const env = { CNI_COMMAND: 'GC', CNI_PATH: '/none' }
  const { code, stdout } = await run(env, Buffer.alloc(5 * 1024 * 1024, ' '))
  t.equal(code, 1)
  t.match(JSON.parse(stdout), { code: 5, msg: /larger than 4194304 bytes/ })
})
