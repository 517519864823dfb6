import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { outsideName } from './dns.ts'
import { type Lab, startLab } from './lab.ts'
import { leftoversOf, strayLinks } from './leftovers.ts'
import { mesh } from './mesh.ts'
import { services } from './services.ts'

const pingOnce = ['ping', '-c', '1', '-W', '5']
/** The largest packet that the pods' links take, not to be cut up: 28 bytes are headers. */
const fullPing = ['ping', '-c', '1', '-W', '5', '-M', 'do', '-s', String(mesh.mtu - 28)]

t.test('two nodes', async t => {
  const lab = await startLab()
  t.teardown(() => lab.stop())
  const [one, two] = [lab.node(1), lab.node(2)]

  await t.test('the mesh carries packets, and both ends shook hands', async t => {
    await one.run([...pingOnce, two.plan.meshAddress])
    for (const node of [one, two]) {
      const [, time] = (await node.run(['wg', 'show', mesh.device, 'latest-handshakes'])).trim().split('\t')
      t.ok(Number(time) > 0, `handshake on ${node.name}`)
    }
  })

  await t.test('names resolve through the service address on a node', async t => {
    const found = await one.run(['getent', 'ahostsv4', outsideName.name])
    t.match(found, outsideName.address)
    t.match(await one.run(['getent', 'ahostsv4', 'kubernetes.default']), services.api, 'through the search path')
  })

  await t.test('pods reach each other across the mesh, the name server and the API server', async t => {
    const [here, there] = await Promise.all([one, two].map(node => lab.startPod(node, { name: `pod-${node.name}` })))
    if (here === undefined || there === undefined) throw new Error('two pods wanted')
    t.match(await here.address('eth0'), /^10\.42\.1\./)
    t.match(await there.address('eth0'), /^10\.42\.2\./)
    await here.run([...fullPing, await there.address('eth0')])
    t.match(await here.run(['getent', 'ahostsv4', outsideName.name]), outsideName.address)
    await here.run(['bash', '-c', `: </dev/tcp/${services.api}/443`])
    const idle = await one.run(['wg', 'show', mesh.device, 'transfer'])
    await here.run([...fullPing, await there.address('eth0')])
    t.not(await one.run(['wg', 'show', mesh.device, 'transfer']), idle, 'their packets go through WireGuard')
    await Promise.all([here.stop(), there.stop()])
    t.not(existsSync(one.path(here.sandbox.netns.replace('/var/run', '/run'))), 'its namespace is gone')
  })

  await t.test('the name server can be stopped and started', async t => {
    await lab.dns.stop()
    t.not((await one.exec(['getent', 'ahostsv4', outsideName.name])).code, 0)
    await lab.dns.start()
    t.match(await one.run(['getent', 'ahostsv4', outsideName.name]), outsideName.address)
  })

  await t.test('a node has folders of its own', async t => {
    writeFileSync(one.path('/etc/nopal/mark'), 'one')
    t.equal(await one.run(['cat', '/etc/nopal/mark']), 'one')
    t.not((await two.exec(['cat', '/etc/nopal/mark'])).code, 0, 'the other node')
    t.not(existsSync('/etc/nopal/mark'), 'this machine')
    t.equal(await one.run(['cat', '/proc/sys/kernel/hostname']), 'n1\n')
    t.throws(() => one.path('/etc/passwd'), { message: /not in a folder/ })
  })

  await t.test('this machine gets no link', async t => t.same(strayLinks(), []))
})

t.test('two labs at once', async t => {
  const labs = await Promise.all([startLab(), startLab()])
  t.teardown(() => Promise.all(labs.map(lab => lab.stop())))
  const [first, second] = labs
  t.not(first.run.id, second.run.id)
  await Promise.all(labs.map(meshWorks))
  await first.stop()
  t.same(leftoversOf(first.run.id), [], 'the first one leaves nothing')
  await meshWorks(second)
  t.equal((await second.api.send({ method: 'GET', path: '/api/v1/nodes' })).code, 200, 'the second one goes on')
  await second.stop()
  t.same(leftoversOf(second.run.id), [], 'the second one leaves nothing')
})

t.test('a program that nobody ends goes with its lab', async t => {
  const lab = await startLab({ nodes: 1 })
  t.teardown(() => lab.stop())
  lab.node(1).start({ name: 'forgotten', argv: ['sleep', '1000'] })
  const named = existsSync('/run/netns') ? readdirSync('/run/netns') : []
  t.notOk(
    named.some(name => name.includes(lab.run.id)),
    'its networks have no names: they go with their last process',
  )
  await lab.stop()
  t.same(leftoversOf(lab.run.id), [])
})

async function meshWorks(lab: Lab): Promise<void> {
  await lab.node(1).run([...pingOnce, lab.node(2).plan.meshAddress])
}
