import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type ApiServer, startApiServer } from '../../cluster/api-server.ts'
import { createAll, type Manifest, readManifests } from '../../cluster/manifests.ts'
import { findFreePort } from '../../cluster/port.ts'
import type { FakeNetmaker } from '../../fakes/netmaker/main.ts'
import { applyManifests } from '../../lab/product.ts'
import { until } from '../../machine/wait.ts'
import { password, username } from '../../unit/agent/netmaker/bed.ts'
import { rulesOf } from '../../unit/agent/netmaker/fleet.ts'

const root = join(import.meta.dirname, '../../..')
const main = join(root, 'agent/main.ts')

/** A real API server, and the leader's account with the rights of its manifests. */
export interface EgressBed {
  readonly server: ApiServer
  readonly kubeconfig: string
  readonly manifests: readonly Manifest[]
}

export async function startBed(t: Test, run: string): Promise<EgressBed> {
  const server = await startApiServer({ kind: 'real', run })
  t.teardown(() => server.stop())
  await applyManifests(server)
  const files = ['leader.yaml', 'egress/rights.yaml'].map(file => readManifests(join(root, 'daemonset', file)))
  const manifests = (await Promise.all(files)).flat().filter(({ kind }) => kind !== 'Deployment')
  await createAll(server.admin, manifests)
  return { server, kubeconfig: await server.kubeconfigFor('nopal', 'nopal-leader'), manifests }
}

type Environment = Readonly<Record<string, string>>

export interface Started {
  readonly process: ChildProcess
  /** All that it has written. */
  text(): string
  metrics(): Promise<string>
  status(): Promise<unknown>
}

export const accessTo = (fake: FakeNetmaker) => ({
  NETMAKER_API_URL: `${fake.url}/`,
  NETMAKER_USERNAME: username,
  NETMAKER_PASSWORD: password,
})

/** Nothing of this machine's but what it is given. */
export function run(t: Test, { kubeconfig }: EgressBed, args: readonly string[], env: Environment) {
  const child = spawn(process.execPath, [main, ...args], { env: { KUBECONFIG: kubeconfig, ...env }, stdio: 'pipe' })
  t.teardown(() => child.kill('SIGKILL'))
  let [out, all] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (all += text))
  return { child, out: () => out, all: () => all }
}

/** `nopal lead` with that Netmaker. */
export async function lead(t: Test, bed: EgressBed, fake: FakeNetmaker, env: Environment = {}): Promise<Started> {
  const port = await findFreePort(undefined)
  const listen = { NOPAL_LEADER_LISTEN: `127.0.0.1:${port}` }
  const { child, all } = run(t, bed, ['lead'], { ...accessTo(fake), ...listen, ...env })
  const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text()
  await until('the leader to serve', () =>
    get('/healthz').then(
      () => true,
      () => false,
    ),
  )
  return {
    process: child,
    text: all,
    metrics: () => get('/metrics'),
    status: async () => JSON.parse(await get('/status.json')) as unknown,
  }
}

export async function setNode(api: ApiServer, name: string, podCIDRs: readonly string[]): Promise<void> {
  const spec = { podCIDR: podCIDRs[0], podCIDRs }
  const body = { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec }
  const { code } = await api.send({ method: 'POST', path: '/api/v1/nodes', body })
  if (code !== 201) throw new Error(`Node ${name}: ${code}`)
}

export async function deleteNodes(api: ApiServer): Promise<void> {
  await api.send({ method: 'DELETE', path: '/api/v1/nodes' })
}

export async function eventsOf(api: ApiServer, reason: string): Promise<readonly { readonly note: string }[]> {
  const { body } = await api.send({ method: 'GET', path: '/apis/events.k8s.io/v1/events' })
  const { items } = body as { readonly items: readonly { readonly reason: string; readonly note: string }[] }
  return items.filter(event => event.reason === reason)
}

/** Also where another leader's Lease must run out first. */
export const rulesAre = (fake: FakeNetmaker, want: readonly string[]) =>
  until(`the rules to be ${want.join(', ')}`, () => JSON.stringify(rulesOf(fake)) === JSON.stringify(want), {
    limitMs: 60_000,
  })
