import { chmod, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createInstallDuty, type InstallState } from '../../../../agent/install/duty.ts'
import { installPaths } from '../../../../agent/install/paths.ts'
import type { KubeCredentials } from '../../../../agent/kube/credentials.ts'
import { type CredentialsSource, fixedCredentials } from '../../../../agent/kube/follow-credentials.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'
import { filesIn, freshFiles, freshHost, installedFiles, renameNetwork, settingsIn } from './host.ts'

const credentials: KubeCredentials = {
  source: 'in-cluster',
  server: 'https://10.96.0.1:443',
  caPem: 'the CA',
  tlsServerName: undefined,
  insecure: false,
  token: undefined,
  clientCertPem: undefined,
  clientKeyPem: undefined,
}
const neverAborted = new AbortController().signal

t.test('install: a fresh host, then nothing to do', async t => {
  const agent = start(t.testdir(freshHost))
  t.teardown(agent.stop)
  const wait = await agent.reconcile()
  t.ok((wait ?? 0) > 5_000, 'it comes back slowly')
  t.strictSame(await filesIn(agent.folder), installedFiles)
  t.match(agent.states.at(-1), { installed: true, message: /cbr0/ })
  const written = agent.log.lines.length
  await agent.reconcile()
  await agent.reconcile()
  t.equal(agent.log.lines.length, written, 'what lasts is said once')
  t.match(JSON.parse(await readFile(agent.paths.conf, 'utf8')), {
    plugins: [
      {
        kubeconfig: '/etc/cni/net.d/kactus.d/kactus-kubeconfig.yaml',
        delegates: [{ masterPlugin: true, name: 'cbr0' }],
      },
    ],
  })
})

t.test('install: the list of plugins that Networks may name reaches kactus', async t => {
  const agent = start(t.testdir(freshHost), { allowedPlugins: ['bridge'] })
  t.teardown(agent.stop)
  await agent.reconcile()
  t.match(JSON.parse(await readFile(agent.paths.conf, 'utf8')), { plugins: [{ allowedPlugins: ['bridge'] }] })
})

t.test('install: a host without a default network waits, says so once, and is served when one comes', async t => {
  const agent = start(t.testdir(freshHost))
  t.teardown(agent.stop)
  const conf = join(agent.paths.confFolder, '10-cbr0.conflist')
  await rename(conf, `${conf}.later`)
  const wait = await agent.reconcile()
  await agent.reconcile()
  t.ok((wait ?? Number.POSITIVE_INFINITY) <= 5_000, 'it looks again soon')
  t.equal(agent.requests(), 0, 'no token is asked for')
  t.match(agent.states, [{ installed: false, message: /no default network/ }, { installed: false }])
  t.equal(agent.log.lines.length, 1)
  t.notOk((await filesIn(agent.folder)).some(file => file.includes('kactus')))
  await rename(`${conf}.later`, conf)
  await agent.reconcile()
  t.strictSame(await filesIn(agent.folder), installedFiles)
})

t.test('install: half a default conf leaves things as they are', async t => {
  const agent = start(t.testdir(freshHost))
  t.teardown(agent.stop)
  const conf = join(agent.paths.confFolder, '10-cbr0.conflist')
  const whole = await readFile(conf, 'utf8')
  await writeFile(conf, whole.slice(0, 20))
  await agent.reconcile()
  t.match(agent.states.at(-1), { installed: false, message: /cannot be read/ })
  t.strictSame(await filesIn(agent.folder), freshFiles)
  await writeFile(conf, whole)
  await agent.reconcile()
  const ours = await readFile(agent.paths.conf, 'utf8')
  await writeFile(conf, whole.slice(0, 20))
  await agent.reconcile()
  t.match(agent.states.at(-1), { installed: true, message: /goes on/ })
  t.equal(await readFile(agent.paths.conf, 'utf8'), ours)
})

t.test('install: the default network is followed, and a change wakes the duty', async t => {
  const agent = start(t.testdir(freshHost))
  t.teardown(agent.stop)
  await agent.reconcile()
  const woken = agent.nextWake()
  await renameNetwork(agent.root, 'another')
  await woken
  await agent.reconcile()
  const conf = JSON.parse(await readFile(agent.paths.conf, 'utf8'))
  t.equal(conf.name, 'kactus-net', 'the name runtimes know stays')
  t.equal(conf.plugins[0].delegates[0].name, 'another')
  t.equal(conf.plugins[0].delegates.length, 1, 'nothing is wrapped twice')
})

t.test('install: a default network that sorts before ours does not win, and leaves no trace when it goes', async t => {
  const agent = start(t.testdir(freshHost))
  t.teardown(agent.stop)
  const { confFolder, conf, earlyConf } = agent.paths
  await rename(join(confFolder, '10-cbr0.conflist'), join(confFolder, '05-cilium.conflist'))
  await agent.reconcile()
  t.equal((await filesIn(confFolder))[0], '00-kactus.conflist')
  t.equal(await readFile(earlyConf, 'utf8'), await readFile(conf, 'utf8'))
  await rename(join(confFolder, '05-cilium.conflist'), join(confFolder, '10-cbr0.conflist'))
  await agent.reconcile()
  t.equal((await filesIn(confFolder))[0], '05-kactus.conflist')
})

t.test('install: a conf folder that is made anew is watched again', async t => {
  const agent = start(t.testdir(freshHost))
  t.teardown(agent.stop)
  await agent.reconcile()
  await rename(agent.paths.confFolder, `${agent.paths.confFolder}.old`)
  await mkdir(agent.paths.confFolder)
  await agent.reconcile()
  const woken = agent.nextWake()
  await writeFile(join(agent.paths.confFolder, '10-new.conf'), '{"name":"new","type":"ptp"}')
  await woken
  await agent.reconcile()
  t.match(agent.states.at(-1), { installed: true, message: /network new/ })
})

t.test('install: without a token nothing is written', async t => {
  const agent = start(t.testdir(freshHost), { refuse: () => true })
  t.teardown(agent.stop)
  await t.rejects(agent.reconcile(), { code: 'NoToken' })
  t.strictSame(await filesIn(agent.folder), freshFiles)
  t.match(agent.states, [{ installed: false, message: /no token/ }])
})

t.test('install: a token that cannot be renewed is kept, also by a new agent', async t => {
  const root = t.testdir(freshHost)
  const first = start(root)
  t.teardown(first.stop)
  await first.reconcile()
  const before = await readFile(first.paths.kubeconfig, 'utf8')
  const second = start(root, { refuse: () => true })
  t.teardown(second.stop)
  await renameNetwork(root, 'another')
  await second.reconcile()
  await second.reconcile()
  t.equal(await readFile(first.paths.kubeconfig, 'utf8'), before)
  t.match(await readFile(first.paths.conf, 'utf8'), 'another')
  t.equal(second.log.lines.filter(([, message]) => message.includes('keeps its token')).length, 1)
})

t.test('install: a token for another API is not kept', async t => {
  const root = t.testdir(freshHost)
  const first = start(root)
  t.teardown(first.stop)
  await first.reconcile()
  const moved = start(root, { refuse: () => true, server: 'https://192.0.2.9:6443' })
  t.teardown(moved.stop)
  await t.rejects(moved.reconcile(), { code: 'NoToken' })
})

t.test('install: a missing executable is named, and is found once it is there', async t => {
  const agent = start(t.testdir(freshHost))
  t.teardown(agent.stop)
  await rm(join(agent.root, 'image/kactus'))
  await t.rejects(agent.reconcile(), { code: 'BinaryMissing', message: /image\/kactus/ })
  t.strictSame(await filesIn(agent.folder), freshFiles)
  await writeFile(join(agent.root, 'image/kactus'), 'the executable')
  await agent.reconcile()
  t.strictSame(await filesIn(agent.folder), installedFiles)
})

t.test('install: a new executable and a spoiled file are put right', async t => {
  const agent = start(t.testdir(freshHost))
  t.teardown(agent.stop)
  await agent.reconcile()
  await writeFile(join(agent.root, 'image/kactus'), 'the next executable')
  await writeFile(agent.paths.conf, '{}')
  await rm(agent.paths.kubeconfigFolder, { recursive: true })
  await agent.reconcile()
  t.strictSame(await filesIn(agent.folder), installedFiles)
  t.equal(await readFile(agent.paths.binary, 'utf8'), 'the next executable')
  t.match(await readFile(agent.paths.conf, 'utf8'), 'kactus-net')
})

t.test(
  'install: the bin folder behind a link is served again when the link turns, and not installed until then',
  async t => {
    const root = t.testdir(freshHost)
    const data = join(root, 'host/data')
    await mkdir(join(data, 'v1/bin'), { recursive: true })
    await mkdir(join(data, 'v2/bin'), { recursive: true })
    const turn = async (version: string) => {
      await symlink(`/data/${version}`, join(data, 'next'))
      await rename(join(data, 'next'), join(data, 'current'))
    }
    await turn('v1')
    const agent = start(root, { cniBinDir: '/data/current/bin' })
    t.teardown(agent.stop)
    t.ok(((await agent.reconcile()) ?? 0) <= 30_000, 'it looks again in time where nothing wakes it')
    t.ok((await filesIn(data)).includes('v1/bin/kactus'))
    const woken = agent.nextWake()
    await turn('v2')
    await woken
    const before = agent.states.length
    await agent.reconcile()
    t.ok((await filesIn(data)).includes('v2/bin/kactus'))
    t.match(agent.states.slice(before), [{ installed: false, message: /put in place again/ }, { installed: true }])
  },
)

t.test('install: what a wrapped conf keeps to its owner ours keeps too, also after a kill', async t => {
  const agent = start(t.testdir(freshHost))
  t.teardown(agent.stop)
  const { confFolder, conf } = agent.paths
  await chmod(join(confFolder, '10-cbr0.conflist'), 0o600)
  await writeFile(`${conf}.nopal-new`, 'a stray', { mode: 0o644 })
  await agent.reconcile()
  t.equal((await stat(conf)).mode & 0o777, 0o600)
  await chmod(join(confFolder, '10-cbr0.conflist'), 0o644)
  await agent.reconcile()
  t.equal((await stat(conf)).mode & 0o777, 0o644)
})

t.test("install: files that are no runtime's are named once", async t => {
  const agent = start(t.testdir(freshHost))
  t.teardown(agent.stop)
  await writeFile(join(agent.paths.confFolder, '01-list.conf'), '{"name":"x","plugins":[{"type":"bridge"}]}')
  await agent.reconcile()
  await agent.reconcile()
  t.equal(agent.log.lines.filter(([, message]) => message.includes('01-list.conf is no configuration')).length, 1)
  t.match(agent.states.at(-1), { installed: true, message: /cbr0/ })
})

t.test("install: kubelet's folder reaches kactus", async t => {
  const agent = start(t.testdir(freshHost), { kubeletDir: '/data/kubelet' })
  t.teardown(agent.stop)
  await agent.reconcile()
  t.match(JSON.parse(await readFile(agent.paths.conf, 'utf8')), { plugins: [{ kubeletDir: '/data/kubelet' }] })
})

t.test('install: renewed credentials reach kactus', async t => {
  let now: KubeCredentials = { ...credentials, source: 'kubeconfig', clientCertPem: 'CERT 1', clientKeyPem: 'KEY 1' }
  const agent = start(t.testdir(freshHost), { source: { last: () => now, current: async () => now } })
  t.teardown(agent.stop)
  await agent.reconcile()
  now = { ...now, clientCertPem: 'CERT 2', clientKeyPem: 'KEY 2', caPem: 'CA 2' }
  await agent.reconcile()
  const text = await readFile(agent.paths.kubeconfig, 'utf8')
  for (const each of ['CERT 2', 'KEY 2', 'CA 2']) t.match(text, Buffer.from(each).toString('base64'))
})

interface AgentOptions {
  readonly refuse?: () => boolean
  readonly server?: string
  readonly source?: CredentialsSource
  readonly allowedPlugins?: readonly string[]
  readonly cniBinDir?: string
  readonly kubeletDir?: string
}

function start(
  root: string,
  { refuse = () => false, server = credentials.server, source, ...settings }: AgentOptions = {},
) {
  const states: InstallState[] = []
  const log = createRecordingLogger()
  const life = new AbortController()
  let requests = 0
  let wakes: PromiseWithResolvers<void> | undefined
  const duty = createInstallDuty({
    settings: { ...settingsIn(root), ...settings },
    binary: join(root, 'image/kactus'),
    namespace: 'nopal',
    credentials: source ?? fixedCredentials({ ...credentials, server }),
    kube: {
      server,
      async request() {
        requests++
        if (refuse()) throw new Error('refused on purpose')
        return { status: { token: `token-${requests}` } }
      },
    },
    node: { name: 'n1', uid: () => 'u1' },
    log,
    signal: life.signal,
    wake: () => wakes?.resolve(),
    onState: state => states.push(state),
  })
  return {
    root,
    folder: join(root, 'host'),
    paths: installPaths(settingsIn(root)),
    states,
    log,
    requests: () => requests,
    reconcile: () => duty.reconcile(neverAborted),
    nextWake() {
      wakes = Promise.withResolvers()
      return wakes.promise
    },
    stop: () => life.abort(),
  }
}
