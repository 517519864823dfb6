import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { until } from '../machine/wait.ts'
import { untilOpen } from './gate-bed.ts'
import { mesh, mute } from './mesh.ts'
import { GuardedMesh, guardSettings, type WgDocument } from './mesh-bed.ts'
import { networkCondition, readNode } from './objects.ts'

const dist = join(import.meta.dirname, '../../dist')

const heals = (action: string, outcome: string) =>
  `nopal_wireguard_heals_total{action="${action}",outcome="${outcome}"}`

t.test('a guarded mesh', async t => {
  const bed = await GuardedMesh.start(3, guardSettings('heal = heal'))
  t.teardown(() => bed.stop())
  const [one, two, three] = [bed.node(1), bed.node(2), bed.node(3)]
  const right = `${two.plan.publicAddress}:${mesh.port}`
  for (const node of bed.lab.nodes) await untilOpen(bed.lab, node.name)
  const failing = async () => networkCondition(await readNode(bed.lab.api, 'n1'))?.status === 'False'

  await t.test('each agent publishes its node', async t => {
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
      status: { verdict: 'Ready', reason: 'Verified', peers: { leaked: 0 }, missingAllowedIPs: [] },
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

  await t.test('nopal wg --watch goes on until it is told to end', async t => {
    const watching = bed.lab.run.start({
      name: 'watching',
      argv: [one.nopalScript, 'wg', '--watch', '--output', 'json'],
    })
    const documents = () =>
      watching
        .log()
        .split('\n')
        .slice(0, -1)
        .map(line => JSON.parse(line) as WgDocument)
    const peersOf = (document: WgDocument | undefined) => document?.devices[0]?.peers.map(({ node }) => node).sort()
    await until('two looks', () => documents().length >= 2)
    t.strictSame(peersOf(documents()[0]), ['n2', 'n3'])
    const key = (await one.run(['sh', '-c', 'wg genkey | wg pubkey'])).trim()
    await one.run(['wg', 'set', mesh.device, 'peer', key])
    await until('the new peer', () => peersOf(documents().at(-1))?.length === 3)
    await one.run(['wg', 'set', mesh.device, 'peer', key, 'remove'])
    await until('it is gone again', () => peersOf(documents().at(-1))?.length === 2)
    t.equal(await watching.stop('SIGINT'), 0)
  })

  await t.test('without netlink it says so once, and looks all the same', async t => {
    const bare = join(bed.lab.run.folder, 'bare')
    mkdirSync(bare)
    for (const name of ['nopal.js', 'client-node.js']) copyFileSync(join(dist, name), join(bare, name))
    const script = join(bare, 'nopal')
    writeFileSync(
      script,
      readFileSync(one.nopalScript, 'utf8').replace(join(dist, 'nopal.js'), join(bare, 'nopal.js')),
      {
        mode: 0o755,
      },
    )
    const watching = bed.lab.run.start({ name: 'bare', argv: [script, 'wg', '--watch'] })
    await until('three looks', () => (watching.log().match(/^n2 /gm)?.length ?? 0) >= 3)
    t.equal(watching.log().match(/routes cannot be asked for/g)?.length, 1)
    await watching.stop('SIGINT')
  })

  await t.test('an endpoint set to a pod address: a loop that is seen, stopped and proved to be over', async t => {
    const unmute = await mute(two, one)
    const leakMs = performance.now()
    await bed.setEndpoint(one, two, '10.42.2.7:51821')
    await until('the endpoint to be right', async () => (await bed.endpointOf(one, two)) === right, { everyMs: 20 })
    t.comment(`put right after ${Math.round(performance.now() - leakMs)} ms`)
    await unmute()
    await until('the Event', async () => (await bed.events(one)).includes('EndpointLeaked'))
    await until('the condition to say so', failing)
    const { tx } = await bed.transfer(one, two)
    await until('the proof', async () => (await bed.events(one)).includes('EndpointHealed'), { limitMs: 90_000 })
    t.ok((await bed.transfer(one, two)).tx - tx < 10_000_000, 'what was sent in a loop is sent no more')
    await untilOpen(bed.lab, 'n1')
    t.equal(await bed.metric(one, heals('set', 'done')), 1)
    t.equal(await bed.metric(one, 'nopal_wireguard_detect_seconds_count'), 1)
    t.equal(await bed.metric(one, 'nopal_wireguard_heal_seconds_count'), 1)
  })

  await t.test(
    "a node that sends from its pods' network leaks into the others, and it ends with its cause",
    async t => {
      const stopPosing = await bed.sendFrom(two, '10.42.2.0')
      await until('the leak', async () => (await bed.endpointOf(one, two))?.startsWith('10.42.2.0:'))
      const leakMs = performance.now()
      await until('it is seen', async () => (await bed.metric(one, 'nopal_wireguard_detect_seconds_count')) > 1, {
        everyMs: 20,
      })
      t.comment(`seen after ${Math.round(performance.now() - leakMs)} ms`)
      await until('the condition to say so', failing)
      await stopPosing()
      await bed.untilClasses(one, { expected: 2 })
      await untilOpen(bed.lab, 'n1', 60_000)
    },
  )

  await t.test('an endpoint behind a second tunnel is seen, though its handshakes are fresh', async t => {
    await bed.addTunnel(one, three)
    await one.run(['ip', 'route', 'add', `${two.plan.publicAddress}/32`, 'dev', 'wg-outer'])
    await until('it is seen', async () => (await bed.classes(one)).nested === 1)
    const { document, code } = await bed.wg(one)
    t.equal(code, 1)
    const nested = document.devices.flatMap(device => device.peers).find(peer => peer.class === 'nested')
    t.match(nested, { node: 'n2', endpoint: right })
    t.ok((nested?.handshakeAge ?? 999) < 180, 'the handshake is fresh')
    await until('the condition to say so', failing)
    for (const node of [one, three]) await node.run(['ip', 'link', 'del', 'wg-outer'])
    await untilOpen(bed.lab, 'n1', 60_000)
  })

  await t.test('a laptop roams where it likes', async t => {
    const before = await bed.metric(one, heals('set', 'done'))
    const key = (await one.run(['sh', '-c', 'wg genkey | wg pubkey'])).trim()
    await one.run([
      'wg',
      'set',
      mesh.device,
      'peer',
      key,
      'endpoint',
      '10.42.3.3:51821',
      'allowed-ips',
      '10.101.0.99/32',
    ])
    await until('it is seen', async () => (await bed.classes(one)).unknown === 1)
    await new Promise(resolve => setTimeout(resolve, 3_000))
    t.match(await one.run(['wg', 'show', mesh.device, 'endpoints']), `${key}\t10.42.3.3:51821`)
    t.equal(await bed.metric(one, heals('set', 'done')), before)
    t.equal((await bed.wg(one)).code, 0)
    await one.run(['wg', 'set', mesh.device, 'peer', key, 'remove'])
  })

  await t.test('a device that hangs beside it neither fails the node nor hides a leak', async t => {
    await one.run(['ip', 'link', 'add', 'wg-stuck', 'type', 'veth', 'peer', 'name', 'wg-stuck2'])
    const stuck = one.start({
      name: 'stuck',
      argv: [process.execPath, '-e', "require('net').createServer(() => {}).listen('/run/wireguard/wg-stuck.sock')"],
    })
    t.teardown(() => stuck.stop())
    const { document } = await until('it is seen', async () => {
      const seen = await bed.wg(one)
      return seen.document.devices.length > 1 ? seen : undefined
    })
    t.match(
      document.devices.find(device => device.name === 'wg-stuck'),
      { readable: false },
    )
    await untilOpen(bed.lab, 'n1')
    const unmute = await mute(three, one)
    await bed.setEndpoint(one, three, '10.42.3.7:51821')
    await until(
      'the endpoint to be right',
      async () => (await bed.endpointOf(one, three)) === `${three.plan.publicAddress}:${mesh.port}`,
      { everyMs: 20 },
    )
    await unmute()
  })

  await t.test('a peer that is removed is not made again', async t => {
    const unmute = await mute(three, one)
    await bed.setEndpoint(one, three, '10.42.3.7:51821')
    await one.run(['wg', 'set', mesh.device, 'peer', bed.keyOf(three), 'remove'])
    await new Promise(resolve => setTimeout(resolve, 3_000))
    await unmute()
    t.notMatch(await one.run(['wg', 'show', mesh.device, 'peers']), bed.keyOf(three))
  })
})
