import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { createLookupDuty } from '../../../../agent/lookup/duty.ts'
import { socketPath } from '../../../../agent/lookup/paths.ts'
import { systemClock } from '../../../../agent/runtime/clock.ts'
import { isAgentSocket } from '../../../../cni/kactus/agent-lookup.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'
import { exchange, socketFolder } from './socket-folder.ts'

const signal = new AbortController().signal
const uid = process.getuid?.() ?? 0

function dutyAt(t: Test, path: string, name = 'agent') {
  const duty = createLookupDuty({
    path,
    uid,
    answer: async line => `${name} heard ${line}\n`,
    onRefused: () => undefined,
    wake: () => undefined,
    log: createRecordingLogger(),
    clock: systemClock,
  })
  t.teardown(() => duty.close())
  return duty
}

const modeOf = (path: string) => (lstatSync(path).mode & 0o777).toString(8)

t.test('makes folder and socket for root alone, as kactus wants them', async t => {
  const path = join(socketFolder(t), 'run/nopal/agent.sock')
  const duty = dutyAt(t, path)
  t.type(await duty.reconcile(signal), 'number', 'it looks again')
  t.same([modeOf(path), modeOf(dirname(path))], ['600', '700'])
  t.ok(isAgentSocket(path, uid))
  t.equal(await exchange(path, 'hello\n'), 'agent heard hello\n')
  t.same(readdirSync(dirname(path)), ['agent.sock'], 'and nothing else')
  await duty.close()
  t.same(readdirSync(dirname(path)), [])
})

interface FolderCase {
  readonly name: string
  /** Fills the folder `run` that the socket is to be in. */
  prepare(run: string): void
  /** Mode of the folder afterwards, or why it cannot be. */
  readonly wanted: string
}

const old = new Date(Date.now() - 3_600_000)
const folderCases: readonly FolderCase[] = [
  { name: 'as kubelet makes it', prepare: run => mkdirSync(run, { mode: 0o755 }), wanted: '700' },
  {
    name: 'used by others too',
    prepare(run) {
      mkdirSync(run, { mode: 0o755 })
      writeFileSync(join(run, 'foreign'), '')
    },
    wanted: '755',
  },
  {
    name: 'open to others, with nothing in it',
    prepare(run) {
      mkdirSync(run)
      chmodSync(run, 0o777)
    },
    wanted: '700',
  },
  {
    name: 'open to others, and used',
    prepare(run) {
      mkdirSync(run)
      chmodSync(run, 0o1777)
      writeFileSync(join(run, 'foreign'), '')
    },
    wanted: 'BadFolder',
  },
  { name: 'a file', prepare: run => writeFileSync(run, ''), wanted: 'EEXIST' },
  { name: 'a link to another folder', prepare: run => symlinkSync(dirname(run), run), wanted: 'BadFolder' },
  {
    name: 'a folder where the socket shall be',
    prepare: run => mkdirSync(join(run, 'agent.sock'), { recursive: true }),
    wanted: 'NotASocket',
  },
  {
    name: 'a file where the socket shall be: somebody may need it',
    prepare(run) {
      mkdirSync(run)
      writeFileSync(join(run, 'agent.sock'), 'precious')
    },
    wanted: 'NotASocket',
  },
]

for (const { name, prepare, wanted } of folderCases) {
  t.test(`folder: ${name}`, async t => {
    const run = join(socketFolder(t), 'run')
    prepare(run)
    const before = existsSync(join(run, 'agent.sock'))
    const ended = await dutyAt(t, join(run, 'agent.sock'))
      .reconcile(signal)
      .then(() => modeOf(run))
      .catch(error => error.code)
    t.equal(ended, wanted)
    const left = lstatSync(run).isDirectory() ? readdirSync(run).filter(each => each.startsWith('agent.sock')) : []
    const sockets = /^\d+$/.test(wanted) || before ? ['agent.sock'] : []
    t.same(left, sockets, 'nothing is left half made')
  })
}

t.test('a folder of somebody else', async t => {
  const path = join(socketFolder(t), 'run/agent.sock')
  const options = { path, uid: uid + 1, answer: async () => '', onRefused: () => undefined, wake: () => undefined }
  const duty = createLookupDuty({ ...options, log: createRecordingLogger(), clock: systemClock })
  await t.rejects(duty.reconcile(signal), { code: 'BadFolder' })
})

t.test('the socket of a dead agent is replaced', async t => {
  const path = join(socketFolder(t), 'agent.sock')
  const dead = createServer()
  await new Promise<void>(resolve => dead.listen(`${path}.dead`, resolve))
  renameSync(`${path}.dead`, path)
  await new Promise(resolve => dead.close(resolve))
  t.equal(await exchange(path, 'x\n'), 'error:ECONNREFUSED')
  await dutyAt(t, path).reconcile(signal)
  t.equal(await exchange(path, 'x\n'), 'agent heard x\n')
})

t.test('a new agent takes over from one that lives, and the old one leaves the new socket alone', async t => {
  const path = join(socketFolder(t), 'agent.sock')
  const [first, second] = [dutyAt(t, path, 'first'), dutyAt(t, path, 'second')]
  await first.reconcile(signal)
  // Whoever asks meanwhile is answered by the one or the other.
  let over = false
  const asking = (async () => {
    const heard = new Set<string>()
    while (!over) heard.add(await exchange(path, 'x\n'))
    return heard
  })()
  await second.reconcile(signal)
  await first.reconcile(signal)
  over = true
  for (const said of await asking) t.match(said, /^(first|second) heard x\n$/)
  t.equal(await exchange(path, 'x\n'), 'second heard x\n', 'the old one does not take it back')
  await first.close()
  t.equal(await exchange(path, 'x\n'), 'second heard x\n')
})

t.test('a socket that somebody removed is there again at the next look', async t => {
  const path = join(socketFolder(t), 'agent.sock')
  const duty = dutyAt(t, path)
  await duty.reconcile(signal)
  const { ino } = lstatSync(path)
  await duty.reconcile(signal)
  t.equal(lstatSync(path).ino, ino, 'one that is there stays')
  rmSync(path)
  await duty.reconcile(signal)
  t.equal(await exchange(path, 'x\n'), 'agent heard x\n')
})

t.test('what agents left that were killed in the middle goes, what is fresh or foreign stays', async t => {
  const folder = socketFolder(t)
  const path = join(folder, 'agent.sock')
  for (const name of ['agent.sock.0123abcd', 'agent.sock.89abcdef', 'agent.sock.backup', 'other.sock.0123abcd']) {
    writeFileSync(join(folder, name), '')
    if (name !== 'agent.sock.89abcdef') utimesSync(join(folder, name), old, old)
  }
  await dutyAt(t, path).reconcile(signal)
  t.same(readdirSync(folder).sort(), ['agent.sock', 'agent.sock.89abcdef', 'agent.sock.backup', 'other.sock.0123abcd'])
})

interface PathCase {
  readonly hostRoot: string
  readonly wanted: string
}

const pathCases: readonly PathCase[] = [
  { hostRoot: '', wanted: '/run/nopal/agent.sock' },
  { hostRoot: '/host', wanted: '/host/run/nopal/agent.sock' },
  { hostRoot: '/host/', wanted: '/host/run/nopal/agent.sock' },
]

for (const { hostRoot, wanted } of pathCases) {
  t.test(`below host-root "${hostRoot}"`, async t => {
    const agent = {
      listen: { host: '', port: 1 },
      probes: { host: '', port: 2 },
      socket: '/run/nopal/agent.sock',
      logLevel: 'info',
      logFormat: 'json',
      podName: undefined,
    } as const
    const install = {
      enabled: true,
      cniBinDir: '/b',
      cniConfDir: '/c',
      hostRoot,
      kubeletDir: '/var/lib/kubelet',
      allowedPlugins: [],
    }
    t.equal(socketPath({ agent, install }), wanted)
  })
}
