import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createKubeClient, type KubeClient } from '../../../agent/kube/client.ts'
import type { KubeCredentials } from '../../../agent/kube/credentials.ts'
import { fixedCredentials } from '../../../agent/kube/follow-credentials.ts'
import { type ApiServer, startApiServer } from '../../cluster/api-server.ts'
import { type Program, startTold } from '../../machine/program.ts'
import { printTable } from '../cni/figures.ts'
import type { Costs, Synced } from './reader.ts'

/**
 * Prints what it costs to follow all Nodes of a cluster, Nodes of 10 kB on a real API server, in a process that does
 * nothing else: node test/bench/kube/informer.ts [NODES]... (50 and 5000 unless told). No test asserts these figures.
 */

/** Each role as it is shipped: the leader by its manifest, the node's agent compiles nothing, to save memory. */
const engines = { lead: ['--max-semi-space-size=4'], agent: ['--no-opt', '--no-maglev', '--no-sparkplug'] } as const
type Engine = keyof typeof engines

const sizes = process.argv.slice(2).map(Number)
const nodeBytes = 10_240
const events = 2_000
const writers = 16

const server = await startApiServer({ kind: 'real', run: `bench-${randomBytes(3).toString('hex')}` })
const credentials = credentialsOf(server)
const client = createKubeClient({
  credentials: fixedCredentials(credentials),
  userAgent: 'nopal/bench',
})
try {
  const rows: string[][] = []
  let made = 0
  for (const size of sizes.length > 0 ? sizes : [50, 5_000]) {
    await inParallel(size - made, at => makeNode(client, made + at))
    made = size
    for (const engine of Object.keys(engines) as Engine[]) rows.push(await measure(size, engine))
  }
  const head = [
    'nodes',
    'engine',
    'synced in',
    'CPU',
    'before',
    'peak',
    'settled',
    'more at most',
    'events',
    'CPU per event',
  ]
  process.stdout.write(`${printTable(head, rows)}\n`)
} finally {
  client.close()
  await server.stop()
}

async function measure(size: number, engine: Engine): Promise<string[]> {
  const [child, first] = await startReader(engines[engine])
  try {
    const { syncMs, syncCpuMs, known, beforeKb, peakKb, settledKb } = first as Synced
    if (known !== size) throw new Error(`${known} nodes known of ${size}`)
    await ask(child, 'start')
    await inParallel(events, at => touchNode(client, at % size))
    const { seen, cpuMs } = (await ask(child, 'end')) as Costs
    return [
      String(size),
      engine,
      `${(syncMs / 1000).toFixed(2)} s`,
      `${(syncCpuMs / 1000).toFixed(2)} s`,
      ...[beforeKb, peakKb, settledKb, peakKb - beforeKb].map(kb => `${(kb / 1024).toFixed(1)} MB`),
      String(seen),
      `${((cpuMs / seen) * 1000).toFixed(0)} us`,
    ]
  } finally {
    await child.stop('SIGTERM', 2_000)
  }
}

function startReader(execArgv: readonly string[]): Promise<readonly [Program, unknown]> {
  const argv = [process.execPath, '--expose-gc', ...execArgv, join(import.meta.dirname, 'reader.ts')]
  return startTold({ name: 'reader', argv, logFile: join(server.folder, 'logs/reader.log'), told: credentials })
}

/** Waits until the reader has nothing left to read, too. */
async function ask(child: Program, what: 'start' | 'end'): Promise<unknown> {
  child.process.send(what)
  return await child.message()
}

async function inParallel(count: number, run: (at: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const work = async () => {
    while (next < count) await run(next++)
  }
  await Promise.all(Array.from({ length: writers }, work))
}

function nameOf(at: number): string {
  return `node-${String(at).padStart(5, '0')}`
}

async function makeNode(api: KubeClient, at: number): Promise<void> {
  const name = nameOf(at)
  const conditions = [
    'Ready',
    'MemoryPressure',
    'DiskPressure',
    'PIDPressure',
    'NetworkUnavailable',
    'nopal.io/NetworkReady',
  ]
  const body = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'node-ready/verified': 'true' },
    },
    spec: { podCIDR: `10.${at >> 8}.${at & 255}.0/24`, podCIDRs: [`10.${at >> 8}.${at & 255}.0/24`] },
    status: {
      addresses: [{ type: 'InternalIP', address: `192.168.${at >> 8}.${at & 255}` }],
      conditions: conditions.map(type => conditionOf(type)),
      images: [] as object[],
    },
  }
  // What makes Nodes large: the images that kubelet has.
  const rest = nodeBytes - JSON.stringify(body).length - 1_500
  for (let bytes = 0; bytes < rest; bytes += 160) body.status.images.push(imageOf())
  await api.request({ method: 'POST', path: '/api/v1/nodes', body })
}

function imageOf(): object {
  return {
    names: [`images.example/team/image@sha256:${randomBytes(32).toString('hex')}`],
    sizeBytes: 123_456_789,
  }
}

function conditionOf(type: string): object {
  const time = new Date().toISOString().replace(/\.\d+/, '')
  const message = 'kubelet is posting ready status and has sufficient memory available'
  return { type, status: 'True', reason: 'KubeletReady', message, lastHeartbeatTime: time, lastTransitionTime: time }
}

/** What a kubelet does every few minutes on each node. */
async function touchNode(api: KubeClient, at: number): Promise<void> {
  const condition = { ...conditionOf('Ready'), message: randomBytes(8).toString('hex') }
  await api.request({
    method: 'PATCH',
    path: `/api/v1/nodes/${nameOf(at)}/status`,
    body: { status: { conditions: [condition] } },
    contentType: 'application/strategic-merge-patch+json',
  })
}

function credentialsOf({ admin }: ApiServer): KubeCredentials {
  return {
    source: 'kubeconfig',
    server: admin.url,
    caPem: admin.ca,
    ...{ tlsServerName: undefined, insecure: false, token: undefined },
    ...{ clientCertPem: admin.cert, clientKeyPem: admin.key },
  }
}
