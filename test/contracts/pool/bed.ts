import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type ApiServer, startApiServer } from '../../cluster/api-server.ts'
import { createAll, type Manifest, readManifests } from '../../cluster/manifests.ts'
import { findFreePort } from '../../cluster/port.ts'
import { type FakeHcloud, startFakeHcloud } from '../../fakes/hcloud/main.ts'
import { fakeServer } from '../../fakes/hcloud/servers.ts'
import { until } from '../../machine/wait.ts'

const root = join(import.meta.dirname, '../../..')
const main = join(root, 'agent/main.ts')

export const poolPath = (version: 'v2' | 'v2alpha1' = 'v2') =>
  `/apis/cilium.io/${version}/ciliumloadbalancerippools/covidnetes-pool`

/** A cluster that knows Cilium's pools, and the leader's account with the rights of its manifest. */
export interface PoolBed {
  readonly server: ApiServer
  readonly kubeconfig: string
  readonly manifests: readonly Manifest[]
}

export async function startBed(t: Test): Promise<PoolBed> {
  const server = await startApiServer({ kind: 'real', run: 'pool' })
  t.teardown(() => server.stop())
  await createAll(server.admin, await readManifests(join(root, 'test/cluster/crds/cilium-lb-ip-pools.yaml')))
  const files = ['leader.yaml', 'pool/rights.yaml'].map(name => join(root, 'daemonset', name))
  const manifests = (await Promise.all(files.map(readManifests))).flat()
  const kubeconfig = await server.kubeconfigFor('nopal', 'nopal-leader')
  await createAll(
    server.admin,
    manifests.filter(({ kind }) => kind !== 'Deployment'),
  )
  return { server, kubeconfig, manifests }
}

/** A fake Hetzner Cloud that ends with the test. */
export async function startCloud(t: Test): Promise<FakeHcloud> {
  const fake = await startFakeHcloud()
  t.teardown(() => fake.stop())
  return fake
}

export interface RunningLeader {
  /** All that it has written. */
  text(): string
  get(path: string): Promise<{ readonly code: number; readonly text: string }>
  stop(): Promise<void>
}

const quick = { NOPAL_POOL_INTERVAL: '1s', NOPAL_POOL_MISS_TIME: '0s', NOPAL_POOL_MISSES: '2' }

type Environment = Readonly<Record<string, string>>

function environment(bed: PoolBed, cloud: FakeHcloud, env: Environment): Environment {
  const seeds = { CANADA_KAKTUS_HCLOUD_TOKEN: cloud.token, HCLOUD_ENDPOINT: cloud.url }
  return { KUBECONFIG: bed.kubeconfig, NOPAL_LOG_FORMAT: 'json', ...quick, ...seeds, ...env }
}

/** `nopal lead` as a process, with a list of the servers each second. */
export async function startLeader(
  t: Test,
  { bed, cloud, env = {} }: { readonly bed: PoolBed; readonly cloud: FakeHcloud; readonly env?: Environment },
): Promise<RunningLeader> {
  const port = await findFreePort(undefined)
  const { NOPAL_LOG_FORMAT: _, ...all } = environment(bed, cloud, { NOPAL_LEADER_LISTEN: `127.0.0.1:${port}`, ...env })
  const child = spawn(process.execPath, [main, 'lead'], { env: all, stdio: 'pipe' })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more: string) => (text += more))
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const stop = async () => {
    child.kill('SIGKILL')
    await ended
  }
  t.teardown(stop)
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`)
    return { code: answer.status, text: await answer.text() }
  }
  const isUp = () =>
    get('/healthz').then(
      () => true,
      () => false,
    )
  await until('the leader to serve', isUp)
  return { text: () => text, get, stop }
}

/** `nopal pool` once. */
export async function runPool(
  { bed, cloud, env = {} }: { readonly bed: PoolBed; readonly cloud: FakeHcloud; readonly env?: Environment },
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const { NOPAL_LOG_FORMAT: _, ...all } = environment(bed, cloud, env)
  const child = spawn(process.execPath, [main, 'pool', ...args], { env: all, stdio: 'pipe' })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (more: string) => (out += more))
  child.stderr.setEncoding('utf8').on('data', (more: string) => (err += more))
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  return { code, out, err }
}

export interface PoolObject {
  readonly apiVersion: string
  readonly metadata: {
    readonly uid: string
    readonly generation: number
    readonly labels?: Record<string, string>
    readonly annotations?: Record<string, string>
  }
  readonly spec: { readonly blocks?: readonly { readonly cidr: string }[]; readonly [key: string]: unknown }
}

export async function readPool({ server }: PoolBed): Promise<PoolObject | undefined> {
  const { code, body } = await server.send({ method: 'GET', path: poolPath() })
  return code === 200 ? (body as PoolObject) : undefined
}

/** The last numbers of the addresses: `198.51.100.7/32` is 7. */
export async function numbers(bed: PoolBed): Promise<readonly number[]> {
  const blocks = (await readPool(bed))?.spec.blocks ?? []
  return blocks.map(({ cidr }) => Number(/\.(\d+)\/32$/.exec(cidr)?.[1]))
}

export function untilNumbers(bed: PoolBed, wanted: readonly number[]): Promise<boolean> {
  return until(`the pool to be ${wanted.join()}`, async () => String(await numbers(bed)) === String(wanted))
}

/** Everything back to nothing. */
export async function clear({ server }: PoolBed): Promise<void> {
  for (const path of [poolPath(), '/api/v1/nodes', '/api/v1/namespaces/default/services/web'])
    await server.send({ method: 'DELETE', path })
}

/** Writes to pools so far, by the leader. */
export async function writes({ server }: PoolBed): Promise<number> {
  const lines = await server.requests()
  return lines.filter(
    ({ verb, path, userAgent }) => verb === 'patch' && path.includes('ippools') && userAgent.startsWith('nopal/'),
  ).length
}

/** The first servers of the fake, by number. */
export const servers = (...ids: readonly number[]) => ids.map(id => fakeServer(id))

/** So many more lists of the servers. */
export async function lists(cloud: { readonly seen: readonly string[] }, more: number): Promise<void> {
  const before = cloud.seen.length
  await until('more lists', () => cloud.seen.length >= before + more)
}
