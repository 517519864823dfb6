import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { load } from 'js-yaml'
import { type ApiServer, startApiServer } from '../../cluster/api-server.ts'
import { FakeAgent } from '../../fakes/agent-socket.ts'
import { bareDelegates, bridgeConf, type Contestant, contestant, installIn } from './contestant.ts'
import { type Figures, figuresOf, printTable } from './figures.ts'

/*
 * Compares kactus with another plugin of its kind: same API server, same real plugins, in turn.
 *   node test/bench/cni/main.ts [--program dist/kactus] [--peer PATH] [--rounds 40]
 * Needs root; everything happens in a network namespace of its own.
 */
const { values } = parseArgs({
  options: {
    program: { type: 'string', multiple: true, default: [join(import.meta.dirname, '../../../dist/kactus')] },
    peer: { type: 'string' },
    rounds: { type: 'string', default: '40' },
    inside: { type: 'boolean', default: false },
  },
})

const auxNames = ['green', 'blue', 'red', 'white']
const works = ['VERSION', 'ADD', 'DEL', 'ADD 4 aux', 'DEL 4 aux'] as const
type Work = (typeof works)[number]
type Samples = Record<Work, number[]>

if (values.inside) await inside()
else await enter()

/** Runs this file again in a network namespace that ends with it. */
async function enter(): Promise<void> {
  const again = [process.execPath, import.meta.filename, ...process.argv.slice(2), '--inside']
  const script = 'ip link set lo up && exec "$@"'
  const child = spawn('unshare', ['--net', 'sh', '-c', script, 'sh', ...again], { stdio: 'inherit' })
  process.exitCode = await new Promise<number>(done => child.on('close', code => done(code ?? 1)))
}

async function inside(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nopal-bench-'))
  const server = await startApiServer({ kind: 'embedded', run: `bench-${randomBytes(3).toString('hex')}` })
  const agent = await FakeAgent.start(join(folder, 'run/agent.sock'))
  const pod = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up && echo made && exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  try {
    await new Promise(done => pod.stdout.once('data', done))
    await seed(server, agent, folder)
    const kubeconfig = await asAgentsWriteIt(server.adminKubeconfig, folder)
    const all = await contestants(folder, kubeconfig, agent)
    await compare(all, `/proc/${pod.pid}/ns/net`)
  } finally {
    pod.kill('SIGKILL')
    await agent.stop()
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** A copy of a kubeconfig as JSON, like the one that the agent gives to kactus. */
async function asAgentsWriteIt(kubeconfig: string, folder: string): Promise<string> {
  const copy = join(folder, 'kactus.kubeconfig')
  await writeFile(copy, JSON.stringify(load(await readFile(kubeconfig, 'utf8'))), { mode: 0o600 })
  return copy
}

async function contestants(folder: string, kubeconfig: string, agent: FakeAgent): Promise<readonly Contestant[]> {
  const [peerCopy, ...copies] = [values.peer, ...values.program].map((program, index) =>
    program === undefined ? undefined : installIn(folder, resolve(program), index),
  )
  const own = copies.flatMap((program = '', index) => [
    contestant(folder, `kactus${index || ''}, API`, program, { kubeconfig, agentSocket: '' }),
    contestant(folder, `kactus${index || ''}, agent`, program, { kubeconfig, agentSocket: agent.path }),
  ])
  const peer = peerCopy === undefined ? [] : [contestant(folder, 'peer', peerCopy, { kubeconfig })]
  return Promise.all([...peer, ...own, bareDelegates(folder, auxNames)])
}

async function compare(all: readonly Contestant[], netns: string): Promise<void> {
  const samples = new Map(all.map(who => [who.name, emptySamples()]))
  const rounds = Number(values.rounds)
  for (let round = -2; round < rounds; round++) {
    for (const who of all)
      await once(who, netns, round < 0 ? emptySamples() : (samples.get(who.name) ?? emptySamples()))
  }
  const first = all[0] && samples.get(all[0].name)
  const rows = all.map(who => {
    const own = samples.get(who.name) ?? emptySamples()
    return [
      who.name,
      ...works.map(work => cell(figuresOf(own[work]), values.peer && first ? figuresOf(first[work]) : undefined)),
      memory(who, netns),
    ]
  })
  process.stdout.write(
    `${cpus().length} x ${cpus()[0]?.model}, ${rounds} rounds in turn; median / p95 ms (ratio to the first)\n`,
  )
  process.stdout.write(`${printTable(['', ...works, 'RSS of ADD 4 aux'], rows)}\n`)
}

async function once(who: Contestant, netns: string, samples: Samples): Promise<void> {
  const container = `b${randomBytes(8).toString('hex')}`
  const bare = { netns, container, pod: 'bare' } as const
  const full = { netns, container, pod: 'full' } as const
  samples.VERSION.push(await who.run('VERSION', bare))
  samples.ADD.push(await who.run('ADD', bare))
  samples.DEL.push(await who.run('DEL', bare))
  samples['ADD 4 aux'].push(await who.run('ADD', full))
  samples['DEL 4 aux'].push(await who.run('DEL', full))
}

function memory(who: Contestant, netns: string): string {
  const place = { netns, container: `m${randomBytes(8).toString('hex')}`, pod: 'full' } as const
  const mb = who.residentMb('ADD', place)
  who.residentMb('DEL', place)
  return mb === undefined ? '' : `${mb.toFixed(1)} MB`
}

function cell({ median, p95 }: Figures, base: Figures | undefined): string {
  const ratio = base === undefined ? '' : ` (${(median / base.median).toFixed(2)})`
  return `${median.toFixed(1)} / ${p95.toFixed(1)}${ratio}`
}

function emptySamples(): Samples {
  return { VERSION: [], ADD: [], DEL: [], 'ADD 4 aux': [], 'DEL 4 aux': [] }
}

/** The pods and networks, the same for the API and the agent. */
async function seed(server: ApiServer, agent: FakeAgent, folder: string): Promise<void> {
  for (const [index, name] of auxNames.entries()) {
    const spec = { plugin: 'bridge', config: JSON.stringify(bridgeConf(join(folder, 'aux'), name, 42 + index)) }
    const object = { apiVersion: 'kaloom.com/v1', kind: 'Network', metadata: { name, namespace: 'default' }, spec }
    await post(server, '/apis/kaloom.com/v1/namespaces/default/networks', object)
    agent.putNetwork('Network', 'default', name, object)
  }
  const networks = JSON.stringify(auxNames.map(name => ({ name })))
  for (const [name, annotations] of [
    ['bare', {}],
    ['full', { networks }],
  ] as const) {
    const body = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, annotations },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    }
    await post(server, '/api/v1/namespaces/default/pods', body)
    agent.putPod('default', name, { uid: name, annotations })
  }
}

async function post(server: ApiServer, path: string, body: unknown): Promise<void> {
  const { code } = await server.send({ method: 'POST', path, body })
  if (code !== 201) throw new Error(`POST ${path}: ${code}`)
}
