import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { type FakeCri, startCri } from '../fakes/cri.ts'
import type { Program } from '../machine/program.ts'
import { cablesOf } from '../machine/segment.ts'
import { until } from '../machine/wait.ts'
import { rememberedOf } from './attachments.ts'
import { readMetric } from './gate-bed.ts'
import { annotate, hotplugSettings, links, sayRunning, untilLinks, untilRecorded, untilServed } from './hotplug-bed.ts'
import { type Lab, startLab } from './lab.ts'
import { deletePod } from './objects.ts'
import type { LabPod } from './pods.ts'
import { allowFallback } from './product.ts'

const { green, blue } = links
const settings = `${hotplugSettings}[podagent]\nsweep = 6s\n`

t.test('running pods, kills, crowds and what the runtime has lost', async t => {
  const lab = await startLab({ nodes: 1 })
  t.teardown(async () => {
    if (!t.passing()) t.comment(lab.run.logTails(60))
    await lab.stop()
  })
  // An agent that was killed a moment ago may not answer kactus yet.
  await allowFallback(lab.api)
  const node = lab.node(1)
  const cri = await startCri(node.path('/run/containerd/containerd.sock'))
  t.teardown(() => cri.stop())
  const older = await lab.startPod(node, { name: 'older' })
  await sayRunning(lab, older)
  cri.sandboxes = [toSandbox(older)]
  const agent = await lab.startAgent(node, { settings })
  await untilServed(lab, node)
  await adopts(t, lab, older)
  await sweeps(t, lab, cri)
  await survives(t, lab, cri, agent)
  await serves50(t, lab, cri)
})

function toSandbox({ sandbox }: LabPod) {
  return { containerId: sandbox.containerId, podUid: sandbox.pod.uid, netns: sandbox.netns }
}

/** Starts a pod as its runtime and kubelet do. */
async function startPod(lab: Lab, cri: FakeCri, name: string): Promise<LabPod> {
  const pod = await lab.startPod(lab.node(1), { name })
  cri.sandboxes = [...cri.sandboxes, toSandbox(pod)]
  await sayRunning(lab, pod)
  return pod
}

async function adopts(t: Test, lab: Lab, pod: LabPod): Promise<void> {
  await t.test('a pod that another plugin attached: the runtime names its sandbox', async t => {
    const before = await pod.run(['ip', '-json', 'addr', 'show', 'eth0'])
    await annotate(lab, pod, { networks: [{ name: 'green' }] })
    await untilLinks(pod, [green])
    t.equal(await pod.run(['ip', '-json', 'addr', 'show', 'eth0']), before)
    await annotate(lab, pod, { networks: [{ name: 'blue' }] })
    await untilLinks(pod, [blue])
  })
}

async function sweeps(t: Test, lab: Lab, cri: FakeCri): Promise<void> {
  const node = lab.node(1)
  await t.test('a sandbox that the runtime has lost: addresses, interfaces and record are given back', async t => {
    const [lives, lost] = [await startPod(lab, cri, 'lives'), await startPod(lab, cri, 'lost')]
    for (const pod of [lives, lost]) await annotate(lab, pod, { networks: [{ name: 'green' }] })
    for (const pod of [lives, lost]) await untilRecorded(pod, ['lab', 'default/green'])
    const kept = [await lives.run(['ip', '-json', 'addr']), await rememberedOf(node, lives.sandbox.containerId)]
    t.not((await rememberedOf(node, lost.sandbox.containerId)).length, 0)
    const cables = (await cablesOf(node)).length
    cri.sandboxes = cri.sandboxes.filter(({ containerId }) => containerId !== lost.sandbox.containerId)
    await deletePod(lab.api, lost.sandbox.pod)
    const startedMs = performance.now()
    const isRuntimes = (file: string) => file.includes('/results/')
    await until(
      'nothing remembered',
      async () => (await rememberedOf(node, lost.sandbox.containerId)).filter(file => !isRuntimes(file)).length === 0,
    )
    t.comment(`given back after ${((performance.now() - startedMs) / 1000).toFixed(1)} s, sweep = 6s`)
    t.equal((await cablesOf(node)).length, cables - 2, 'both cables are gone')
    t.same([await lives.run(['ip', '-json', 'addr']), await rememberedOf(node, lives.sandbox.containerId)], kept)
    const removed = () => readMetric(node, 'nopal_leftovers_total', 'outcome="removed"')
    await until('it to be counted', async () => (await removed()) > 0)
    t.equal(await removed(), 1)
  })

  await t.test('a runtime that gives no answer: nothing is judged', async t => {
    const pod = await startPod(lab, cri, 'kept')
    const known = cri.sandboxes
    cri.sandboxes = []
    cri.fails = true
    await deletePod(lab.api, pod.sandbox.pod)
    const log = () => readFileSync(`${lab.run.folder}/logs/n1-agent.log`, 'utf8')
    const seen = log().match(/"duty":"sweep".*failed/g)?.length ?? 0
    await until('two looks in vain', () => (log().match(/"duty":"sweep".*failed/g)?.length ?? 0) >= seen + 2)
    t.match(
      (await pod.interfaces()).map(({ name }) => name),
      ['eth0'],
    )
    cri.sandboxes = known
    cri.fails = false
  })
}

/** The agent and all it has started die at once, as the processes of a container do. */
async function killAll(agent: Program): Promise<void> {
  const children = readFileSync(`/proc/${agent.pid}/task/${agent.pid}/children`, 'utf8').split(' ').filter(Boolean)
  process.kill(agent.pid, 'SIGKILL')
  for (const child of children) {
    try {
      process.kill(Number(child), 'SIGKILL')
    } catch {
      // It had ended.
    }
  }
  await agent.ended
}

async function survives(t: Test, lab: Lab, cri: FakeCri, first: Program): Promise<void> {
  await t.test('killed at every step of an attach and a detach: exact again', async t => {
    const pod = await startPod(lab, cri, 'victim')
    const eth0 = await pod.run(['ip', '-json', 'addr', 'show', 'eth0'])
    let agent = first
    for (let turn = 0; turn < 14; turn++) {
      const wanted = turn % 2 === 0 ? ['green', 'blue'] : ['blue']
      await annotate(lab, pod, { networks: wanted.map(name => ({ name })) })
      await new Promise(resolve => setTimeout(resolve, turn * 20))
      await killAll(agent)
      agent = await lab.startAgent(lab.node(1), { settings })
      await untilLinks(
        pod,
        wanted.map(name => (name === 'green' ? green : blue)),
      )
      await untilRecorded(pod, ['lab', ...wanted.map(name => `default/${name}`)])
    }
    t.equal(await pod.run(['ip', '-json', 'addr', 'show', 'eth0']), eth0)
    const files = (await rememberedOf(lab.node(1), pod.sandbox.containerId)).filter(file =>
      /\/192\.168\.42\./.test(file),
    )
    t.same(files, [], 'of green no address is held')
  })
}

async function serves50(t: Test, lab: Lab, cri: FakeCri): Promise<void> {
  await t.test('50 pods edited at once, and one more starts meanwhile', async t => {
    const pods: LabPod[] = []
    for (let at = 0; at < 50; at += 5)
      pods.push(...(await Promise.all([0, 1, 2, 3, 4].map(each => startPod(lab, cri, `many-${at + each}`)))))
    const timed = async (name: string) => {
      const startedMs = performance.now()
      await startPod(lab, cri, name)
      return Math.round(performance.now() - startedMs)
    }
    const quiet = await timed('quiet')
    const startedMs = performance.now()
    await Promise.all(pods.map(pod => annotate(lab, pod, { networks: [{ name: 'green' }] })))
    const editedMs = performance.now() - startedMs
    const busy = await timed('meanwhile')
    for (const pod of pods) await untilRecorded(pod, ['lab', 'default/green'])
    const doneMs = performance.now() - startedMs
    t.comment(
      `edited in ${Math.round(editedMs)} ms, attached after ${Math.round(doneMs)} ms; a pod's start: ${quiet} ms before, ${busy} ms meanwhile`,
    )
    const addresses = await Promise.all(pods.map(pod => pod.address(green)))
    t.equal(new Set(addresses).size, 50, 'each has an address of its own')
  })
}
