import { join } from 'node:path'
import type { Test } from 'tap'
import { createAll, readManifests } from '../../cluster/manifests.ts'
import { type FakeHcloud, startFakeHcloud } from '../../fakes/hcloud/main.ts'
import { fakeServer } from '../../fakes/hcloud/servers.ts'
import type { Output } from '../../machine/command.ts'
import { until } from '../../machine/wait.ts'
import { type LeaderBed, startLeaderBed } from '../leader/bed.ts'
import { type Environment, type RunningLeader, runNopal, startLeader as startProcess } from '../leader/process.ts'

export const poolDefinition = join(import.meta.dirname, '../../cluster/crds/cilium-lb-ip-pools.yaml')

export const poolPath = (version: 'v2' | 'v2alpha1' = 'v2') =>
  `/apis/cilium.io/${version}/ciliumloadbalancerippools/covidnetes-pool`

/** The leader in a cluster that knows Cilium's pools. */
export async function startBed(t: Test, run: string): Promise<LeaderBed> {
  const bed = await startLeaderBed(t, run, ['pool/rights.yaml'])
  await createAll(bed.server.admin, await readManifests(poolDefinition))
  return bed
}

/** A fake Hetzner Cloud that ends with the test. */
export async function startCloud(t: Test): Promise<FakeHcloud> {
  const fake = await startFakeHcloud()
  t.teardown(() => fake.stop())
  return fake
}

const quick = { NOPAL_POOL_INTERVAL: '1s', NOPAL_POOL_MISS_TIME: '0s', NOPAL_POOL_MISSES: '2' }

interface PoolRun {
  readonly bed: LeaderBed
  readonly cloud: FakeHcloud
  readonly env?: Environment
}

function environment({ bed, cloud, env = {} }: PoolRun): Environment {
  const seeds = { CANADA_KAKTUS_HCLOUD_TOKEN: cloud.token, HCLOUD_ENDPOINT: cloud.url }
  return { KUBECONFIG: bed.kubeconfig, ...quick, ...seeds, ...env }
}

/** `nopal lead` as a process, with a list of the servers each second. */
export function startLeader(t: Test, run: PoolRun): Promise<RunningLeader> {
  return startProcess(t, environment(run))
}

/** `nopal pool` once. */
export function runPool(run: PoolRun, args: readonly string[]): Promise<Output> {
  return runNopal(['pool', ...args], environment(run))
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

export async function readPool({ server }: LeaderBed): Promise<PoolObject | undefined> {
  const { code, body } = await server.send({ method: 'GET', path: poolPath() })
  return code === 200 ? (body as PoolObject) : undefined
}

/** The last numbers of the addresses: `198.51.100.7/32` is 7. */
export async function numbers(bed: LeaderBed): Promise<readonly number[]> {
  const blocks = (await readPool(bed))?.spec.blocks ?? []
  return blocks.map(({ cidr }) => Number(/\.(\d+)\/32$/.exec(cidr)?.[1]))
}

export function untilNumbers(bed: LeaderBed, wanted: readonly number[]): Promise<boolean> {
  return until(`the pool to be ${wanted.join()}`, async () => String(await numbers(bed)) === String(wanted))
}

/** Everything back to nothing. */
export async function clear({ server }: LeaderBed): Promise<void> {
  for (const path of [poolPath(), '/api/v1/nodes', '/api/v1/namespaces/default/services/web'])
    await server.send({ method: 'DELETE', path })
}

/** Writes to pools so far, by the leader. */
export async function writes({ server }: LeaderBed): Promise<number> {
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
