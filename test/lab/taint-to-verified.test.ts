import { existsSync, readFileSync, statSync } from 'node:fs'
import t from 'tap'
import { until } from '../machine/wait.ts'
import { type Lab, startLab } from './lab.ts'
import type { LabNode } from './node.ts'
import { ask, hasTestTaint, jsonPatch, type NodeObject, networkCondition, readNode, verifiedLabel } from './objects.ts'
import { firstConfName } from './runtime.ts'

/** Somebody else's taint, which must be left alone. */
const foreignTaint = { key: 'example.com/maintenance', value: 'disks', effect: 'NoSchedule' }

t.test('from taint to verified', async t => {
  const lab = await startLab()
  t.teardown(async () => {
    if (!t.passing()) t.comment(lab.run.logTails(40))
    await lab.stop()
  })
  await lab.dns.stop()
  const [one, two] = [lab.node(1), lab.node(2)]
  for (const node of lab.nodes) await addTaint(lab, node)
  const history = await watchNode(lab, one)
  const agents = await Promise.all(lab.nodes.map(node => lab.startAgent(node)))

  await t.test('without a name server the taint stays, and the condition says why', async t => {
    const node = await until('a verdict for that reason', async () => {
      const found = withCondition(await readNode(lab.api, 'n1'), 'False')
      return found && networkCondition(found)?.reason === 'NoAnswer' && found
    })
    t.ok(hasTestTaint(node), 'tainted')
    t.notOk(node.metadata.labels?.[verifiedLabel], 'no label')
    t.match(networkCondition(node), { message: /10\.96\.0\.10/ })
    t.equal(await httpStatus(one, '/health'), 503)
    t.equal(await httpStatus(one, '/healthz'), 200, 'the agent itself is well')
  })

  await t.test('with the name server back both nodes are verified', async t => {
    const failing = await readNode(lab.api, 'n1')
    await lab.dns.start()
    for (const { name } of [one, two]) {
      const node = await until(`${name} to be verified`, async () => liftedNode(await readNode(lab.api, name)))
      t.equal(node.metadata.labels?.[verifiedLabel], 'true', `label of ${name}`)
      t.same(node.spec.taints, [foreignTaint], 'the other taint stays')
      const ready = await until('the condition', async () => withCondition(await readNode(lab.api, name), 'True'))
      t.match(networkCondition(ready), { reason: 'Verified' })
    }
    t.ok(hasTestTaint(failing), 'and not before')
    await until('/readyz', async () => (await httpStatus(one, '/readyz')) === 200)
    await until('/health', async () => (await httpStatus(one, '/health')) === 200)
  })

  await t.test('taint and label changed in one write', async t => {
    await until('the watch to tell', () => history.seen.some(node => !hasTestTaint(node)))
    const states = history.seen.map(node => `${hasTestTaint(node)} ${node.metadata.labels?.[verifiedLabel] ?? '-'}`)
    t.same([...new Set(states)], ['true -', 'false true'])
  })

  await t.test('kactus is in place, around the default network', async t => {
    t.equal(firstConfName(one), '05-kactus.conflist')
    const conf = JSON.parse(readFileSync(one.path('/etc/cni/net.d/05-kactus.conflist'), 'utf8'))
    t.match(conf, {
      plugins: [{ type: 'kactus', delegates: [{ type: 'bridge', bridge: 'cni0', masterPlugin: true }] }],
    })
    t.ok(existsSync(one.path('/etc/cni/net.d/10-lab.conflist')), 'the default network has its own file still')
    const mode = (file: string) => (statSync(one.path(file)).mode & 0o777).toString(8)
    t.equal(mode('/etc/cni/net.d/kactus.d/kactus-kubeconfig.yaml'), '600')
    t.equal(mode('/opt/cni/bin/kactus'), '755')
  })

  await t.test('SIGTERM ends the agents with 0', async t => {
    t.same(await Promise.all(agents.map(agent => agent.stop('SIGTERM', 5000))), [0, 0])
    for (const agent of agents) {
      const lines = agent.log().trimEnd().split('\n')
      t.doesNotThrow(() => lines.map(line => JSON.parse(line)), 'its log is JSON, line for line')
    }
  })
  history.close()
})

async function addTaint(lab: Lab, node: LabNode): Promise<void> {
  const body = [{ op: 'add', path: '/spec/taints/-', value: foreignTaint }]
  await ask(lab.api, { method: 'PATCH', path: `/api/v1/nodes/${node.name}`, body, contentType: jsonPatch })
}

/** Every state of a node from now on, as any other client of the API sees it. */
async function watchNode(lab: Lab, node: LabNode): Promise<{ seen: NodeObject[]; close(): void }> {
  const watch = await lab.api.watch(`/api/v1/nodes?watch=true&fieldSelector=metadata.name%3D${node.name}`)
  const seen: NodeObject[] = []
  const gather = async () => {
    for (let line = await watch.next(); line !== undefined; line = await watch.next()) {
      seen.push(line.object as unknown as NodeObject)
    }
  }
  // The end of the watch is the end of the test.
  gather().catch(() => {})
  return { seen, close: () => watch.close() }
}

function withCondition(node: NodeObject, status: string): NodeObject | undefined {
  return networkCondition(node)?.status === status ? node : undefined
}

function liftedNode(node: NodeObject): NodeObject | undefined {
  return hasTestTaint(node) ? undefined : node
}

/** What the agent of a node answers on its port; 0 for nothing. */
async function httpStatus(node: LabNode, path: string): Promise<number> {
  const script = `fetch('http://127.0.0.1:8080${path}').then(r => console.log(r.status), () => console.log(0))`
  return Number(await node.run([process.execPath, '-e', script]))
}
