import t from 'tap'
import { until } from '../machine/wait.ts'
import { untilOpen } from './gate-bed.ts'
import { mesh } from './mesh.ts'
import { GuardedMesh, guardSettings } from './mesh-bed.ts'
import { networkCondition, readNode } from './objects.ts'

t.test('a guarded mesh', async t => {
  const bed = await GuardedMesh.start(3, guardSettings('heal = heal'))
  t.teardown(() => bed.stop())
  const [one, two] = [bed.node(1), bed.node(2)]
  for (const node of bed.lab.nodes) await untilOpen(bed.lab, node.name)

  await t.test('each agent publishes its node, once', async t => {
    const network = await until('a verdict', async () => {
      const found = await bed.network('n1')
      return found.status?.verdict === 'Ready' ? found : undefined
    })
    t.match(network, {
      metadata: { ownerReferences: [{ kind: 'Node' }] },
      spec: {
        devices: [{ name: mesh.device, publicKey: bed.keyOf(one), listenPort: mesh.port }],
        endpoint: one.plan.publicAddress,
        podCIDRs: [one.plan.podCidr],
      },
      status: { verdict: 'Ready', reason: 'Verified', peers: { expected: 2, leaked: 0 }, missingAllowedIPs: [] },
    })
  })

  await t.test('nopal wg shows them where they should be', async t => {
    const { document, code } = await bed.wg(one)
    t.equal(code, 0)
    t.match(document, { node: 'n1', devices: [{ name: mesh.device, kind: 'userspace', readable: true }] })
    t.strictSame(document.devices[0]?.peers.map(peer => [peer.node, peer.class]).sort(), [
      ['n2', 'expected'],
      ['n3', 'expected'],
    ])
  })

  await t.test('an endpoint set to a pod address is seen, put right and proved', async t => {
    const unmute = await bed.mute(two, one)
    const leakMs = performance.now()
    await bed.setEndpoint(one, two, '10.42.2.7:51821')
    await until(
      'the endpoint to be right again',
      async () => (await bed.endpointOf(one, two)) === '203.0.113.12:51821',
      { everyMs: 20 },
    )
    t.comment(`put right after ${Math.round(performance.now() - leakMs)} ms`)
    await unmute()
    await until('the Event', async () => (await bed.events(one)).includes('EndpointLeaked'))
    await until(
      'the condition to say so',
      async () => networkCondition(await readNode(bed.lab.api, 'n1'))?.status === 'False',
    )
    await until('the proof', async () => (await bed.events(one)).includes('EndpointHealed'), { limitMs: 40_000 })
    await untilOpen(bed.lab, 'n1')
    t.equal(await bed.metric(one, 'nopal_wireguard_heals_total{action="set",outcome="done"}'), 1)
    t.equal(await bed.metric(one, 'nopal_wireguard_detect_seconds_count'), 1)
    t.equal(await bed.metric(one, 'nopal_wireguard_heal_seconds_count'), 1)
  })
})
