import type { Test } from 'tap'
import type { HeldDelete } from '../../../../agent/netmaker/actions.ts'
import { createDeleteBudget } from '../../../../agent/netmaker/budget.ts'
import type { NetmakerClient } from '../../../../agent/netmaker/client.ts'
import { createMeshLists } from '../../../../agent/netmaker/lists.ts'
import { type Outlook, type PassParts, runPass } from '../../../../agent/netmaker/pass.ts'
import type { ClusterNode } from '../../../../agent/netmaker/world.ts'
import type { FakeNetmaker } from '../../../fakes/netmaker/main.ts'
import type { FakeRule } from '../../../fakes/netmaker/state.ts'
import { createFakeClock, type FakeClock } from '../runtime/fake-clock.ts'
import { clientFor } from './bed.ts'

/** A leader's egress on a fake server, with Nodes that the test sets. */
export interface Fleet {
  readonly clock: FakeClock
  readonly client: NetmakerClient
  /** Nodes and their CIDRs, as the API server has them. */
  readonly nodes: Map<string, readonly string[]>
  /** As a list of them shows; all unless told. */
  listed: (nodes: readonly ClusterNode[]) => readonly ClusterNode[]
  pass(fence?: () => void): Promise<Outlook>
  /** Passes until one has nothing to write, over what fails. */
  settle(): Promise<Outlook>
}

interface FleetOptions {
  readonly cluster?: string
  /** For an answer of the server. */
  readonly timeoutMs?: number
}

export function createFleet(t: Test, fake: FakeNetmaker, options: FleetOptions = {}): Fleet {
  const { cluster = '', timeoutMs = 30_000 } = options
  const clock = createFakeClock()
  const client = clientFor(t, { url: fake.url, given: { timeoutMs } })
  const nodes = new Map<string, readonly string[]>()
  const { signal } = new AbortController()
  const toNode = ([name, podCIDRs]: readonly [string, readonly string[]]) => ({ name, uid: `uid-${name}`, podCIDRs })
  const fleet: Fleet = { clock, client, nodes, listed: all => all, pass, settle }
  const parts: PassParts = {
    client,
    cluster,
    lists: createMeshLists(client, clock),
    nodes: () => fleet.listed([...nodes].map(toNode)),
    async readNode(name) {
      const podCIDRs = nodes.get(name)
      return podCIDRs && toNode([name, podCIDRs])
    },
    budget: createDeleteBudget({ most: { share: 0.1 }, intervalMs: 600_000, clock }),
    onWrite: () => undefined,
  }
  async function pass(fence: () => void = () => undefined) {
    await clock.advance(600_000)
    return runPass(parts, { signal, fence })
  }
  async function settle(): Promise<Outlook> {
    for (let tries = 0; tries < 20; tries++) {
      const seen = await pass().catch(() => undefined)
      if (seen !== undefined && seen.plan.writes.length + seen.deletes.length === 0) return seen
    }
    throw new Error('it never settles')
  }
  return fleet
}

/** `lab n1 0 10.42.1.0/24` of every rule, sorted; the node is the host's whose id the rule has. */
export function rulesOf({ state }: FakeNetmaker): readonly string[] {
  const hostOf = (id: string) => state.hosts.get(state.nodes.get(id)?.hostid ?? '')?.name ?? '?'
  const inShort = ({ network, nodes, description, range, status }: FakeRule) =>
    [network, Object.keys(nodes).map(hostOf), /\d+$/.exec(description)?.[0], range, status ? '' : 'off']
      .join(' ')
      .trim()
  return [...state.rules.values()].map(inShort).sort()
}

export const reasonsOf = (held: readonly HeldDelete[]) => held.map(({ reason }) => reason)

/** How many writes of rules the server has seen. */
export function writesSeen({ seen }: FakeNetmaker, method?: string): number {
  return seen.filter(
    one => one.path.startsWith('/api/v1/egress') && (method ?? one.method) === one.method && one.method !== 'GET',
  ).length
}
