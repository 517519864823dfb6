import t from 'tap'
import { until } from '../machine/wait.ts'
import { untilOpen } from './gate-bed.ts'
import { startLab } from './lab.ts'
import type { LabNode } from './node.ts'

const lab = await startLab()
t.teardown(async () => {
  if (!t.passing()) t.comment(lab.run.logTails(40))
  await lab.stop()
})
const [node, peer] = [lab.node(1), lab.node(2)]

/** Holds every port of an agent, as the one before it or a stranger may. */
const holdPorts = `
  const { once } = require('node:events')
  const tcp = [[8080, '::'], [8082, '127.0.0.1']].map(([port, host]) => require('node:net').createServer().listen(port, host))
  const udp = require('node:dgram').createSocket('udp6').bind(8080)
  Promise.all([...tcp, udp].map(each => once(each, 'listening'))).then(() => console.log('held'))`

await t.test('ports that are taken when the agent starts are waited for, and the node opens meanwhile', async t => {
  const holder = node.start({ name: 'holder', argv: [process.execPath, '-e', holdPorts] })
  await holder.waitForLog(/held/)
  const agent = await lab.startAgent(node)
  for (const name of ['report', 'probes', 'peers']) {
    await agent.waitForLog(new RegExp(`"duty":"${name}".*the port is taken`))
  }
  await untilOpen(lab, 'n1')
  t.ok(agent.running)
  await holder.stop()
  await until('health for kubelet', async () => (await statusOf(node, 'http://127.0.0.1:8082/readyz')) === 200)
  await until('the public port', async () => (await statusOf(node, 'http://127.0.0.1:8080/readyz')) === 200)
  await agent.waitForLog(/"duty":"peers".*"listening"/)
  t.equal(await agent.stop('SIGTERM', 5000), 0)
})

await t.test('101 connections of one address that say nothing harm nobody', async t => {
  const agent = await lab.startAgent(node)
  const { publicAddress } = node.plan
  for (const url of ['http://127.0.0.1:8082/healthz', `http://${publicAddress}:8080/metrics`])
    await until(url, async () => (await statusOf(node, url)) === 200)
  const doors = [
    { name: 'the public one, over the network', from: peer, host: publicAddress, port: 8080 },
    { name: 'the public one, on the node', from: node, host: '127.0.0.1', port: 8080 },
    { name: "kubelet's", from: node, host: '127.0.0.1', port: 8082 },
  ]
  for (const { name, from, host, port } of doors) {
    const crowd = from.start({ name: 'crowd', argv: [process.execPath, '-e', openIdle(host, port)] })
    await crowd.waitForLog(/101 open/)
    t.equal(await statusOf(node, 'http://127.0.0.1:8082/healthz'), 200, `${name}: kubelet is answered`)
    t.equal(await statusOf(node, 'http://127.0.0.1:8080/metrics'), 200, `${name}: the node is answered`)
    t.equal(await statusOf(peer, `http://${publicAddress}:8080/metrics`), 200, `${name}: the network is answered`)
    await crowd.stop()
  }
  t.equal(await agent.stop('SIGTERM', 5000), 0)
})

/** Opens 101 connections, one after the other, and leaves them. */
function openIdle(host: string, port: number): string {
  return `
    const { once } = require('node:events')
    const open = async () => {
      const socket = require('node:net').connect(${port}, '${host}')
      socket.on('error', () => undefined)
      await once(socket, 'connect')
    }
    const all = async () => { for (let at = 0; at < 101; at += 1) await open() }
    all().then(() => console.log('101 open'))
    setInterval(() => undefined, 1000)`
}

/** What the agent answers; 0 for nothing. */
async function statusOf(node: LabNode, url: string): Promise<number> {
  const script = `fetch('${url}').then(r => console.log(r.status), () => console.log(0))`
  return Number(await node.run([process.execPath, '-e', script]))
}
