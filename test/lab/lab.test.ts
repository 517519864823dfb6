import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { collect } from '../machine/command.ts'
import { outsideName } from './dns.ts'
import { type Lab, startLab } from './lab.ts'
import { leftoversOf, strayLinks } from './leftovers.ts'
import { mesh } from './mesh.ts'
import { namespaceFolder } from './namespaces.ts'
import { services } from './services.ts'

const pingOnce = ['ping', '-c', '1', '-W', '5']
/** The largest packet that the pods' links take, not to be cut up: 28 bytes are headers. */
const fullPing = ['ping', '-c', '1', '-W', '5', '-M', 'do', '-s', String(mesh.mtu - 28)]

t.test('two nodes', async t => {
  const lab = await startLab()
  t.teardown(() => lab.stop())
  const [one, two] = [lab.node(1), lab.node(2)]

  await t.test('the mesh carries packets, and both ends shook hands', async t => {
    await one.must([...pingOnce, two.plan.meshAddress])
    for (const node of [one, two]) {
      const [, time] = (await node.must(['wg', 'show', mesh.device, 'latest-handshakes'])).trim().split('\t')
      t.ok(Number(time) > 0, `handshake on ${node.name}`)
    }
  })

  await t.test('names resolve through the service address on a node', async t => {
    const found = await one.must(['getent', 'ahostsv4', outsideName.name])
    t.match(found, outsideName.address)
    t.match(await one.must(['getent', 'ahostsv4', 'kubernetes.default']), services.api, 'through the search path')
  })

  await t.test('pods reach each other across the mesh, the name server and the API server', async t => {
    const [here, there] = await Promise.all([one, two].map(node => lab.startPod(node, { name: `pod-${node.name}` })))
    if (here === undefined || there === undefined) throw new Error('two pods wanted')
    t.match(await here.address('eth0'), /^10\.42\.1\./)
    t.match(await there.address('eth0'), /^10\.42\.2\./)
    await here.must([...fullPing, await there.address('eth0')])
    t.match(await here.must(['getent', 'ahostsv4', outsideName.name]), outsideName.address)
    await here.must(['bash', '-c', `: </dev/tcp/${services.api}/443`])
    const idle = await one.must(['wg', 'show', mesh.device, 'transfer'])
    await here.must([...fullPing, await there.address('eth0')])
    t.not(await one.must(['wg', 'show', mesh.device, 'transfer']), idle, 'their packets go through WireGuard')
    await Promise.all([here.stop(), there.stop()])
    t.not(existsSync(one.path(here.sandbox.netns.replace('/var/run', '/run'))), 'its namespace is gone')
  })

  await t.test('the name server can be stopped and started', async t => {
    await lab.dns.stop()
    t.not((await one.exec(['getent', 'ahostsv4', outsideName.name])).code, 0)
    await lab.dns.start()
    t.match(await one.must(['getent', 'ahostsv4', outsideName.name]), outsideName.address)
  })

  await t.test('a node has folders of its own', async t => {
    writeFileSync(one.path('/etc/nopal/mark'), 'one')
    t.equal(await one.must(['cat', '/etc/nopal/mark']), 'one')
    t.not((await two.exec(['cat', '/etc/nopal/mark'])).code, 0, 'the other node')
    t.not(existsSync('/etc/nopal/mark'), 'this machine')
    t.equal(await one.must(['cat', '/proc/sys/kernel/hostname']), 'n1\n')
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

t.test('somebody uses `ip netns` while a lab runs', async t => {
  const lab = await startLab({ nodes: 1 })
  t.teardown(() => lab.stop())
  const theirs = `other-${lab.run.id.slice(1)}`
  await lab.run.must(['ip', 'netns', 'add', theirs])
  t.teardown(() => collect(['ip', 'netns', 'del', theirs]))
  lab.node(1).start('forgotten', ['sleep', '1000'])
  await lab.stop()
  t.same(leftoversOf(lab.run.id), [], 'ours are gone')
  t.ok(existsSync(join(namespaceFolder, theirs)), 'theirs is there')
})

async function meshWorks(lab: Lab): Promise<void> {
  await lab.node(1).must([...pingOnce, lab.node(2).plan.meshAddress])
}
