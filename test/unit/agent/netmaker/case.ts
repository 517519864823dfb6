import type { Test } from 'tap'
import type { HeldDelete, RuleDelete, RuleWrite } from '../../../../agent/netmaker/actions.ts'
import { type EgressPlan, type Observed, planEgress } from '../../../../agent/netmaker/plan.ts'
import { readRules } from '../../../../agent/netmaker/shapes.ts'
import type { NetmakerNode } from '../../../../agent/netmaker/world.ts'
import type { JsonObject } from '../../../../cni/spec/json.ts'

/** A world in short: Nodes and their CIDRs, hosts and their networks, rules. Host `h` of id `HOST-h`, its node `h@lab`. */
export interface Short {
  readonly nodes: Readonly<Record<string, readonly string[]>>
  /** Hosts by name; the networks they are in. Those of the Nodes in `lab` unless told. */
  readonly hosts?: Readonly<Record<string, readonly string[]>>
  /** More hosts of any name: `id name`. */
  readonly moreHosts?: readonly string[]
  readonly moreNodes?: readonly NetmakerNode[]
  readonly rules?: readonly JsonObject[]
  /** Networks without nodes. */
  readonly networks?: readonly string[]
  readonly cluster?: string
}

/** A managed rule as the server lists it: `rule('r1', 'n1', [0, '10.42.1.0/24'])`. */
export function rule(
  id: string,
  node: string,
  [index, range]: readonly [number, string],
  more: JsonObject = {},
): JsonObject {
  return {
    id,
    network: 'lab',
    name: `${node} pods (1/1)`,
    description: `Managed by kaput-not (DO NOT EDIT): index=${index}`,
    nodes: { [`${node}@lab`]: 500 },
    tags: {},
    range,
    mode: 'direct_nat',
    virtual_range: '',
    domain_ans: [],
    domain: '',
    nat: false,
    status: true,
    created_at: `2026-01-01T00:00:0${id.replace(/\D/g, '')}Z`,
    ...more,
  }
}

export function observe(short: Short): Observed {
  const { nodes, rules = [], cluster = '', networks = ['lab'] } = short
  const hosts = short.hosts ?? Object.fromEntries(Object.keys(nodes).map(name => [name, ['lab']]))
  const members = Object.entries(hosts).flatMap(([name, there]) =>
    there.map(network => ({
      id: `${name}@${network}`,
      hostId: `HOST-${name}`,
      network,
      connected: true,
      leaving: false,
    })),
  )
  const all = [...members, ...(short.moreNodes ?? [])]
  const named = new Set([...networks, ...all.map(({ network }) => network), ...rules.map(one => String(one.network))])
  const listed = [...named].map(network => {
    const own = rules.filter(one => one.network === network)
    return [network, readRules({ Code: 200, Message: '', Response: own })] as const
  })
  const more = (short.moreHosts ?? [])
    .map(text => text.split(' '))
    .map(([id = '', name = '']) => ({ id, name, endpoint: '' }))
  return {
    nodes: Object.entries(nodes).map(([name, podCIDRs]) => ({ name, uid: `uid-${name}`, podCIDRs })),
    mesh: {
      hosts: [...Object.keys(hosts).map(name => ({ id: `HOST-${name}`, name, endpoint: '' })), ...more],
      nodes: all,
      rules: new Map(listed),
    },
    cluster,
  }
}

/** `update r1 lab n1 0 10.42.1.0/24 Drifted`. */
function inShort(plan: EgressPlan): { readonly do: readonly string[]; readonly held: readonly string[] } {
  const write = ({ action, rule, place, reason }: RuleWrite) => [
    action,
    rule?.id,
    place.membership.network,
    place.membership.node.name,
    place.index,
    place.range,
    reason,
  ]
  const away = ({ rule, reason }: RuleDelete | HeldDelete) => ['delete', rule.id, reason]
  const join = (words: readonly unknown[]) => words.filter(word => word !== undefined).join(' ')
  return {
    do: [...plan.writes.map(write), ...plan.deletes.map(away)].map(join),
    held: plan.held.map(away).map(join),
  }
}

/** The server's rules after all of the plan was done; new ones get ids of their own. */
function afterwards(short: Short): Short {
  const plan = planEgress(observe(short))
  const bodies = new Map(plan.writes.map(({ rule: known, body }) => [known?.id, body]))
  const gone = new Set(plan.deletes.map(({ rule: known }) => known.id))
  const kept = (short.rules ?? []).filter(({ id }) => !gone.has(String(id)))
  const changed = kept.map(one => bodies.get(String(one.id)) ?? one)
  const made = plan.writes.filter(write => write.rule === undefined)
  const news = made.map(({ body }, at) => ({ id: `new${at}`, status: true, tags: {}, ...body }))
  return { ...short, rules: [...changed, ...news] }
}

/** A world and what is to be done about it. */
export interface Row extends Short {
  readonly name: string
  readonly want: readonly string[]
  readonly held?: readonly string[]
  readonly unmatched?: readonly string[]
}

export function checkRow(t: Test, row: Row): void {
  const plan = planEgress(observe(row))
  t.same(inShort(plan), { do: row.want, held: row.held ?? [] })
  t.same(
    plan.unmatched.map(({ node, reason }) => `${node} ${reason}`),
    row.unmatched ?? [],
  )
  const next = inShort(planEgress(observe(afterwards(row))))
  // Rules of Nodes that are gone go once rules of this cluster's Nodes are there.
  const left = next.do.filter(line => !line.endsWith('NodeGone'))
  t.same(left, [], 'once done, nothing is left to do')
}

export const [a, b, c, six] = ['10.42.1.0/24', '10.42.2.0/24', '10.42.3.0/24', 'fd00:42:0:1::/64'] as const
/** What the server leaves of the nodes of a rule whose node is gone. */
export const none = { nodes: {} }
export const dead = { nodes: { 'dead@lab': 500 } }
/** Another Node with its rule: lists that know it are not taken for another cluster's. */
export const other = rule('r9', 'n9', [0, '10.42.9.0/24'])
export const nine = { n9: ['10.42.9.0/24'] }
