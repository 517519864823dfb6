import t, { type Test } from 'tap'
import type { NodeNetwork } from '../../../../agent/kube/node-network.ts'
import { parseNodeNetwork } from '../../../../agent/kube/node-network.ts'
import { findMissingEffects, type MissingEffect } from '../../../../agent/netmaker/effect.ts'
import { createEffectDuty, planEffectCondition } from '../../../../agent/netmaker/effect-duty.ts'
import type { Outlook } from '../../../../agent/netmaker/pass.ts'
import { planEgress } from '../../../../agent/netmaker/plan.ts'
import type { ClusterNode, EffectCondition } from '../../../../agent/netmaker/world.ts'
import { createFakeClock } from '../runtime/fake-clock.ts'
import { a, b, observe, rule, type Short } from './case.ts'

/** What the agent of a node publishes. */
function published(name: string, missingAllowedIPs: readonly string[]): NodeNetwork {
  const network = parseNodeNetwork({ metadata: { name }, status: { verdict: 'Ready', missingAllowedIPs } })
  if (network === undefined) throw new Error('no NodeNetwork')
  return network
}

interface Row {
  readonly name: string
  readonly world?: Partial<Short>
  /** Of host n1. */
  readonly endpoint?: string
  readonly connected?: boolean
  readonly broker?: boolean
  readonly want: readonly string[]
}

const rules = [rule('r1', 'n1', [0, a]), rule('r2', 'n2', [0, b])]

const rows: readonly Row[] = [
  { name: 'an access policy, or hosts that have not heard of it', want: [`n1 ${a} n2,n3 AccessPolicy`] },
  { name: 'the broker is away', broker: false, want: [`n1 ${a} n2,n3 MessagingDown`] },
  {
    name: 'another rule with the range',
    world: { rules: [...rules, rule('r3', 'n2', [1, a], { description: 'by hand' })] },
    want: [`n1 ${a} n2,n3 DuplicateRange`],
  },
  {
    name: 'another rule with a wider range',
    world: { rules: [...rules, rule('r3', 'n2', [1, '10.42.0.0/16'], { description: 'by hand' })] },
    want: [`n1 ${a} n2,n3 DuplicateRange`],
  },
  {
    name: 'one that is disabled does no harm',
    world: { rules: [...rules, rule('r3', 'n2', [1, a], { description: 'by hand', status: false })] },
    want: [`n1 ${a} n2,n3 AccessPolicy`],
  },
  { name: 'the endpoint lies in the range', endpoint: '10.42.1.7', want: [`n1 ${a} n2,n3 EndpointInRange`] },
  { name: 'the node is disconnected', connected: false, want: [`n1 ${a} n2,n3 Disconnected`] },
  { name: 'a rule that is still to be made', world: { rules: rules.slice(1) }, want: [] },
  { name: 'a range of nobody', world: { nodes: { n2: [b] }, hosts: { n1: ['lab'], n2: ['lab'] } }, want: [] },
]

for (const row of rows) {
  t.test(row.name, async t => {
    const observed = observe({ nodes: { n1: [a], n2: [b] }, rules, ...row.world })
    const { mesh } = observed
    const hosts = mesh.hosts.map(host => (host.name === 'n1' ? { ...host, endpoint: row.endpoint ?? '' } : host))
    const nodes = mesh.nodes.map(node => ({ ...node, connected: row.connected ?? true }))
    const networks = [published('n1', [a]), published('n2', [a]), published('n3', ['10.42.1.9/24', 'junk'])]
    const plan = planEgress(observed)
    const found = findMissingEffects({
      plan,
      mesh: { ...mesh, hosts, nodes },
      networks,
      brokerConnected: row.broker ?? true,
    })
    t.same(
      found.map(one => `${one.node} ${one.range} ${one.missingAt.join()} ${one.cause}`),
      row.want,
    )
  })
}

const missing: MissingEffect = { node: 'n1', network: 'lab', range: a, missingAt: ['n2'], cause: 'AccessPolicy' }

t.test('the condition of a Node', async t => {
  t.equal(planEffectCondition(undefined, []), undefined, 'never wrong: none')
  const wrong = planEffectCondition(undefined, [missing])
  t.match(wrong, { status: 'False', reason: 'AccessPolicy', message: /no effect on 1 node \(n2\)/ })
  t.equal(planEffectCondition(wrong, [missing]), undefined, 'said already')
  t.match(planEffectCondition(wrong, [{ ...missing, cause: 'MessagingDown' }]), { reason: 'MessagingDown' })
  const right = planEffectCondition(wrong, [])
  t.match(right, { status: 'True', reason: 'InEffect' })
  t.equal(planEffectCondition(right, []), undefined)
})

/** The duty with one Node that has a rule of which n2 knows nothing. */
function startEffects(t: Test) {
  const observed = observe({ nodes: { n1: [a], n2: [b] }, rules })
  const node: ClusterNode = { name: 'n1', uid: 'uid-n1', podCIDRs: [a] }
  const outlook: Outlook = { plan: planEgress(observed), mesh: observed.mesh, deletes: [], held: [] }
  const clock = createFakeClock()
  const counts: number[] = []
  const events: string[] = []
  const world: World = { node, networks: [published('n2', [a])], outlook }
  const duty = createEffectDuty({
    api: {
      server: '',
      async request({ path, body }) {
        t.equal(path, '/api/v1/nodes/n1/status')
        const { status } = body as { readonly status: { readonly conditions: readonly [EffectCondition] } }
        world.node = { ...node, inEffect: status.conditions[0] }
        return { metadata: { name: 'n1', uid: 'uid-n1' } }
      },
    },
    client: { status: async () => ({ version: '', brokerConnected: false }) },
    recorder: { record: async (_, { reason, note }) => void events.push(`${reason} ${note}`) },
    clock,
    nodes: () => [world.node],
    networks: () => world.networks,
    outlook: () => world.outlook,
    onEffects: found => counts.push(found.length),
  })
  return { world, clock, counts, events, reconcile: () => duty.reconcile(new AbortController().signal) }
}

interface World {
  node: ClusterNode
  networks: readonly NodeNetwork[] | undefined
  outlook: Outlook | undefined
}

t.test('told after a minute, and taken back', async t => {
  const { world, clock, counts, events, reconcile } = startEffects(t)
  await reconcile()
  await clock.advance(59_000)
  t.equal(await reconcile(), 1_000, 'not kept waiting for longer than it takes')
  t.equal(world.node.inEffect, undefined, 'a rule takes its time')
  await clock.advance(1_000)
  await reconcile()
  await reconcile()
  t.match(world.node.inEffect, { status: 'False', reason: 'MessagingDown' })
  t.match(events, [
    /^EgressNoEffect MessagingDown: the egress rule for 10\.42\.1\.0\/24 in lab is there and has no effect/,
  ])
  world.networks = [published('n2', [])]
  await reconcile()
  t.match(world.node.inEffect, { status: 'True' })
  t.same(counts, [0, 0, 1, 1, 0])
})

t.test('what a leader before has told stays, until this one knows better', async t => {
  const { world, clock, reconcile } = startEffects(t)
  const { outlook, networks } = world
  const told: EffectCondition = { status: 'False', reason: 'MessagingDown', message: 'as before' }
  world.node = { ...world.node, inEffect: told }
  world.outlook = undefined
  t.equal(await reconcile(), 1_000)
  t.equal(world.node.inEffect, told, 'no pass has ended yet')
  Object.assign(world, { outlook, networks: undefined })
  t.equal(await reconcile(), 1_000)
  t.equal(world.node.inEffect, told, 'nobody has been heard yet')
  world.networks = networks
  t.equal(await reconcile(), 30_000)
  t.equal(world.node.inEffect, told, 'it still is missing, if not for a minute')
  await clock.advance(60_000)
  await reconcile()
  t.match(world.node.inEffect, { status: 'False', message: /10\.42\.1\.0/ })
})
