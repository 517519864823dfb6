import type { Test } from 'tap'
import type { ApiServer } from '../../cluster/api-server.ts'
import type { FakeNetmaker } from '../../fakes/netmaker/main.ts'
import { applyManifests } from '../../lab/product.ts'
import { until } from '../../machine/wait.ts'
import { password, username } from '../../unit/agent/netmaker/bed.ts'
import { rulesOf } from '../../unit/agent/netmaker/fleet.ts'
import { type LeaderBed, startLeaderBed } from '../leader/bed.ts'
import { type Environment, type RunningLeader, startLeader } from '../leader/process.ts'

/** The leader, and definitions of all that nopal knows. */
export async function startBed(t: Test, run: string): Promise<LeaderBed> {
  const bed = await startLeaderBed(t, run, ['egress/rights.yaml'])
  await applyManifests(bed.server)
  return bed
}

export const accessTo = (fake: FakeNetmaker) => ({
  NETMAKER_API_URL: `${fake.url}/`,
  NETMAKER_USERNAME: username,
  NETMAKER_PASSWORD: password,
})

/** `nopal lead` with that Netmaker. */
export function lead(
  t: Test,
  { kubeconfig }: LeaderBed,
  fake: FakeNetmaker,
  env: Environment = {},
): Promise<RunningLeader> {
  return startLeader(t, { KUBECONFIG: kubeconfig, ...accessTo(fake), ...env })
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
