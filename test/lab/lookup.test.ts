import { statSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Program } from '../machine/program.ts'
import { until } from '../machine/wait.ts'
import { isBuilt, type KactusBuild } from './agent.ts'
import { mergePatch, readMetric } from './gate-bed.ts'
import { type Lab, startLab } from './lab.ts'
import type { LabNode } from './node.ts'
import { ask, deletePod, readNode, verifiedLabel } from './objects.ts'
import type { LabPod } from './pods.ts'
import { allowFallback } from './product.ts'

const socket = '/run/nopal/agent.sock'
const green = 'net9f27410725ab'
const blue = 'net48d6215903df'
const networks = ['green', 'blue']
/** What kactus asks the API for such a pod when nobody else answers. */
const fallback = ['get networks/blue', 'get networks/green', 'get pods/NAME']

interface Bench {
  readonly lab: Lab
  readonly node: LabNode
  readonly kactus: KactusBuild
}

for (const kactus of ['kactus', 'kactus-pkg'] as const) {
  const skip = isBuilt(kactus) ? false : `dist/${kactus} is not built: ./build.sh`
  t.test(`dist/${kactus} asks the agent`, { skip }, async t => {
    const lab = await startLab({ nodes: 1 })
    t.teardown(async () => {
      if (!t.passing()) t.comment(lab.run.logTails(40))
      await lab.stop()
    })
    await allowFallback(lab.api)
    const bench = { lab, node: lab.node(1), kactus }
    const agent = await startAgent(bench)
    await answers(t, bench)
    const next = await falls(t, bench, agent)
    await takesOver(t, bench, next)
  })
}

async function startAgent({ lab, node, kactus }: Bench, settings?: string): Promise<Program> {
  const agent = await lab.startAgent(node, { kactus, ...(settings === undefined ? {} : { settings }) })
  await agent.waitForLog(/"kactus is answered"/)
  await until('the node verified', async () => {
    const { metadata } = await readNode(lab.api, node.name)
    return metadata.labels?.[verifiedLabel] === 'true'
  })
  return agent
}

async function answers(t: Test, bench: Bench): Promise<void> {
  const { node, lab } = bench

  await t.test('pods that verify the node are counted, by phase', async t => {
    const series = (status: string) => readMetric(node, 'kube_node_ready_worker_pods', `status="${status}"`)
    await until('the count', async () => (await series('running')) === 0)
    const pods = '/api/v1/namespaces/default/pods'
    const metadata = { name: 'worker', labels: { app: 'kube-node-ready', component: 'worker' } }
    const spec = { nodeName: node.name, containers: [{ name: 'worker', image: 'none' }] }
    await ask(lab.api, { method: 'POST', path: pods, body: { apiVersion: 'v1', kind: 'Pod', metadata, spec } })
    await until('the pod to be counted', async () => (await series('pending')) === 1)
    const body = { status: { phase: 'Succeeded' } }
    await ask(lab.api, { method: 'PATCH', path: `${pods}/worker/status`, body, contentType: mergePatch })
    await until('its end to be counted', async () => (await series('succeeded')) === 1)
    await deletePod(lab.api, { namespace: 'default', name: 'worker' })
    await until('it to be forgotten', async () => (await series('succeeded')) === 0)
    t.equal(await readMetric(node, 'kube_node_ready_worker_pods'), 0, 'and no other is')
  })

  await t.test('the socket is for root alone', async t => {
    const mode = (path: string) => (statSync(node.path(path)).mode & 0o777).toString(8)
    t.same([mode(socket), mode('/run/nopal')], ['600', '700'])
  })

  await t.test('no request to the API, for a pod that was made this moment', async t => {
    for (const name of ['one', 'two', 'three']) await untilNothingAsked(t, bench, name)
  })

  await t.test('nor for several at once', async t => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    await until('six at once to ask nothing', async () => {
      const before = await askedOf(lab)
      const pods = await Promise.all(names.map(name => lab.startPod(node, { name, networks })))
      const asked = (await askedOf(lab)).slice(before.length)
      for (const pod of pods) await endPod(t, pod)
      return asked.length === 0
    })
  })

  await t.test('a network that is not there: the API has the last word', async t => {
    await until('the one question', async () => {
      const before = await askedOf(lab)
      await t.rejects(lab.startPod(node, { name: 'lost', networks: ['nowhere'] }), { message: /nowhere/ })
      return (await askedOf(lab)).slice(before.length).join() === 'get networks/nowhere'
    })
  })

  await t.test('a network made just before its pod', async t => {
    const config = JSON.stringify({ bridge: 'br-fresh', ipam: { type: 'host-local', subnet: '192.168.45.0/24' } })
    const body = {
      apiVersion: 'kaloom.com/v1',
      kind: 'Network',
      metadata: { name: 'fresh' },
      spec: { plugin: 'bridge', config },
    }
    await ask(lab.api, { method: 'POST', path: '/apis/kaloom.com/v1/namespaces/default/networks', body })
    const pod = await lab.startPod(node, { name: 'early', networks: ['fresh'] })
    t.equal((await pod.interfaces()).length, 2)
    await endPod(t, pod, 2)
  })
}

/** An agent that hangs, dies while it is asked, and is dead. Returns the one that comes after it. */
async function falls(t: Test, bench: Bench, agent: Program): Promise<Program> {
  const { lab, node } = bench

  await t.test('the agent hangs: the API is asked', async t => {
    process.kill(agent.pid, 'SIGSTOP')
    try {
      t.same(await asksFor(t, bench, 'hanging'), fallback)
    } finally {
      process.kill(agent.pid, 'SIGCONT')
    }
  })

  await t.test('the agent is killed while it is asked', async t => {
    const before = await askedOf(lab)
    process.kill(agent.pid, 'SIGSTOP')
    const starting = lab.startPod(node, { name: 'midway', networks })
    await until('the pod', async () => {
      const { code } = await lab.api.send({ method: 'GET', path: '/api/v1/namespaces/default/pods/midway' })
      return code === 200
    })
    process.kill(agent.pid, 'SIGKILL')
    await endPod(t, await starting)
    t.same((await askedOf(lab)).slice(before.length).sort(), named('midway'))
  })

  await t.test('the agent is dead, its socket lies there still', async t => {
    t.ok(statSync(node.path(socket)).isSocket())
    t.same(await asksFor(t, bench, 'orphan'), fallback)
  })

  return await startAgent(bench)
}

async function takesOver(t: Test, bench: Bench, agent: Program): Promise<void> {
  const { node } = bench

  await t.test('its successor takes its place', async t => {
    await untilNothingAsked(t, bench, 'heir')
  })

  await t.test('a second agent takes over from one that lives, whose end does not take the socket away', async t => {
    const first = statSync(node.path(socket)).ino
    const second = await startAgent(
      bench,
      '[agent]\nlisten = :8089\n[verify]\ndns-domains = kubernetes.default.svc.cluster.local\n',
    )
    t.not(statSync(node.path(socket)).ino, first)
    await untilNothingAsked(t, bench, 'between')
    t.equal(await agent.stop('SIGTERM', 5000), 0)
    await untilNothingAsked(t, bench, 'after')
    t.equal(await second.stop('SIGTERM', 5000), 0)
    t.throws(() => statSync(node.path(socket)), { code: 'ENOENT' }, 'the last one leaves nothing')
  })

  await t.test('no agent, no socket', async t => {
    t.same(await asksFor(t, bench, 'alone'), fallback)
  })
}

/** Starts and ends a pod with both networks; returns what kactus asked of the API for it. */
async function asksFor(t: Test, bench: Bench, name: string): Promise<readonly string[]> {
  const before = await askedOf(bench.lab)
  await endPod(t, await bench.lab.startPod(bench.node, { name, networks }))
  const asked = (await askedOf(bench.lab)).slice(before.length)
  return asked.map(each => each.replace(`pods/${name}`, 'pods/NAME')).sort()
}

/** An agent that is too busy to answer in time is as good as none: then the API was asked, and a pod more is started. */
async function untilNothingAsked(t: Test, bench: Bench, name: string): Promise<void> {
  await until(`${name} to ask nothing`, async () => (await asksFor(t, bench, name)).length === 0)
}

const named = (name: string) => fallback.map(each => each.replace('NAME', name))

async function endPod(t: Test, pod: LabPod, links = 3): Promise<void> {
  const found = (await pod.interfaces()).map(link => link.name)
  t.equal(found.length, links, pod.name)
  if (links === 3) t.same([...found].sort(), ['eth0', blue, green])
  await pod.stop()
}

async function askedOf(lab: Lab): Promise<readonly string[]> {
  const lines = await lab.api.requests()
  const own = lines.filter(({ userAgent }) => userAgent === 'kactus')
  return own.map(({ verb, path }) => `${verb} ${path.split('/').slice(-2).join('/')}`)
}
