import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { until } from '../machine/wait.ts'
import { mesh, mute } from './mesh.ts'
import { GuardedMesh, guardSettings } from './mesh-bed.ts'
import type { LabNode } from './node.ts'
import { networkCondition, readNode } from './objects.ts'

// What owns the device remembers the leak, and undoes what the guard does, as netclient does for real.

const bed = await GuardedMesh.start(3, guardSettings('heal = heal'))
t.teardown(() => bed.stop())
const [one, two, three] = [bed.node(1), bed.node(2), bed.node(3)]
for (const node of bed.lab.nodes) await until('a good start', async () => (await statusOf(node)) === 'True')

const healed = async (node: LabNode, action: string, outcome = 'done') =>
  bed.metric(node, `nopal_wireguard_heals_total{action="${action}",outcome="${outcome}"}`)

async function statusOf(node: LabNode): Promise<string | undefined> {
  return networkCondition(await readNode(bed.lab.api, node.name))?.status
}

/** Each status that the condition has, one after the other, until `over` says so. */
async function statuses(node: LabNode, over: () => boolean): Promise<readonly (string | undefined)[]> {
  const seen: (string | undefined)[] = []
  while (!over()) {
    const status = await statusOf(node)
    if (seen.at(-1) !== status) seen.push(status)
    await sleep(50)
  }
  return seen
}

// In the pods' network of a third node: there it leads into the tunnel, but not round and round.
const leaks = [
  { node: one, other: two, endpoint: '10.42.3.9:51821', everySeconds: 2 },
  { node: two, other: three, endpoint: '10.42.1.9:51821', everySeconds: 15 },
]

for (const { node, other, ...netclient } of leaks) {
  t.test(`put back every ${netclient.everySeconds} s`, async t => {
    let over = false
    const condition = statuses(node, () => over)
    const unmute = await mute(other, node)
    const child = bed.startNetclient(node, other, netclient)
    await until('it forgets', async () => (await healed(node, 'reset')) === 1, { limitMs: 60_000 })
    await unmute()
    await until('the condition to be true', async () => (await statusOf(node)) === 'True', { limitMs: 90_000 })
    await sleep(2_000)
    over = true
    await child.stop('SIGKILL')
    t.strictSame(await condition, ['True', 'False', 'True'], 'it does not flap')
    const sets = await healed(node, 'set')
    t.ok(sets >= 1 && sets <= 3, `${sets} attempts`)
    t.equal(await healed(node, 'reset'), 1, 'one escalation')
    t.match(child.log(), 'forgotten')
    t.comment(`${child.log().match(/put/g)?.length} times put back, ${sets} attempts, 1 reset`)
    t.equal(await bed.endpointOf(node, other), `${other.plan.publicAddress}:${mesh.port}`)
  })
}

t.test('one that does not forget', async t => {
  const child = bed.startNetclient(three, one, { endpoint: '10.42.2.9:51821', everySeconds: 2, forgets: false })
  await until('it is told to', async () => (await healed(three, 'reset')) === 1, { limitMs: 60_000 })
  let over = false
  const condition = statuses(three, () => over)
  await sleep(20_000)
  over = true
  t.ok((await healed(three, 'set')) <= 3)
  t.equal(await healed(three, 'reset'), 1)
  t.strictSame(await condition, ['False'], 'the node is not well all the while')
  await child.stop('SIGKILL')
})
