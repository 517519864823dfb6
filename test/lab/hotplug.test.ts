import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Program } from '../machine/program.ts'
import { until } from '../machine/wait.ts'
import { askAgent, readMetric } from './gate-bed.ts'
import {
  annotate,
  hotplugSettings,
  links,
  linksOf,
  multusAnnotation,
  recordedOf,
  sayRunning,
  statusAnnotation,
  statusOf,
  untilLinks,
  untilRecorded,
  untilSaidOf,
  untilServed,
} from './hotplug-bed.ts'
import { type Lab, startLab } from './lab.ts'
import type { LabNode } from './node.ts'
import { ask } from './objects.ts'
import type { LabPod } from './pods.ts'
import { allowFallback } from './product.ts'

const { green, blue } = links
const ping = ['ping', '-c', '1', '-W', '5']
const mac = '02:00:00:00:00:2a'

/** The parts of the agent's status that these tests look at. */
interface StatusDocument {
  readonly attachments: {
    readonly pods: readonly { readonly pod: string; readonly problems: readonly string[] }[]
  }
  readonly events: readonly { readonly reason: string }[]
}

/** Until then it may be made anew, and not be there. */
async function untilMac(pod: LabPod, link: string): Promise<void> {
  const isSo = async () => (await pod.exec(['ip', 'link', 'show', link])).stdout.includes(mac)
  await until(`the MAC of ${link}`, isSo)
}

async function readStatus(node: LabNode): Promise<StatusDocument> {
  return JSON.parse((await askAgent(node, '/status.json')).text) as StatusDocument
}

t.test('networks of running pods follow their annotations', async t => {
  const lab = await startLab({ nodes: 1, api: 'real' })
  t.teardown(async () => {
    if (!t.passing()) t.comment(lab.run.logTails(60))
    await lab.stop()
  })
  const node = lab.node(1)
  await allowFallback(lab.api)
  const agent = await lab.startAgent(node, { settings: hotplugSettings })
  await untilServed(lab, node)
  const [pod, other] = await Promise.all(['app1', 'app2'].map(name => lab.startPod(node, { name })))
  if (pod === undefined || other === undefined) throw new Error('a pod is missing')
  await Promise.all([pod, other].map(each => sayRunning(lab, each)))
  await edits(t, lab, [pod, other])
  await badInput(t, lab, pod)
  await asMultus(t, lab, pod)
  await restarts(t, lab, pod, agent)
  await t.test('DEL of the runtime takes all of it', async t => {
    await annotate(lab, other, { networks: [{ name: 'green' }] })
    await untilLinks(other, [green])
    await other.stop()
    await pod.stop()
    t.same([recordedOf(other), recordedOf(pod)], [[], []])
  })
})

async function edits(t: Test, lab: Lab, [pod, other]: readonly [LabPod, LabPod]): Promise<void> {
  const eth0 = await pod.run(['ip', '-json', 'addr', 'show', 'eth0'])

  await t.test('an edit adds green and blue, and packets arrive', async t => {
    for (const each of [pod, other]) await annotate(lab, each, { networks: [{ name: 'green' }, { name: 'blue' }] })
    for (const each of [pod, other]) await untilLinks(each, [green, blue])
    for (const link of [green, blue]) await pod.run([...ping, '-I', link, await other.address(link)])
    t.equal(await pod.run(['ip', '-json', 'addr', 'show', 'eth0']), eth0, 'eth0 is untouched')
  })

  await t.test('Events and the status annotation say so', async t => {
    await untilSaidOf(lab, pod, new RegExp(`AddedInterface ${green} \\[192\\.168\\.42\\.\\d+\\] on network green`))
    const status = await until('the status', async () => {
      const found = await statusOf(lab, pod)
      return found.length === 3 && found
    })
    t.match(status, [
      { name: 'lab', interface: 'eth0', ips: [await pod.address('eth0')], default: true },
      { name: 'default/green', interface: green, ips: [await pod.address(green)] },
      { name: 'default/blue', interface: blue, ips: [await pod.address(blue)] },
    ])
  })

  await t.test('what somebody else writes there does not stay', async t => {
    const text = JSON.stringify(await statusOf(lab, pod))
    await annotate(lab, pod, { [statusAnnotation]: '[]' })
    await until('the status', async () => JSON.stringify(await statusOf(lab, pod)) === text)
    t.equal(await linksOf(pod), [blue, 'eth0', green].sort().join(' '))
  })

  await t.test('a MAC as asked: the interface is made anew, no other is', async t => {
    const before = await pod.run(['ip', '-json', 'addr', 'show', blue])
    await annotate(lab, pod, { networks: [{ name: 'green', ifMac: mac }, { name: 'blue' }] })
    await untilMac(pod, green)
    t.equal(await pod.run(['ip', '-json', 'addr', 'show', blue]), before)
  })

  await t.test('an edit takes one off', async t => {
    await annotate(lab, pod, { networks: [{ name: 'blue' }] })
    await untilLinks(pod, [blue])
    await untilSaidOf(lab, pod, new RegExp(`RemovedInterface ${green} of network default/green`))
    await untilRecorded(pod, ['lab', 'default/blue'])
    t.equal(await pod.run(['ip', '-json', 'addr', 'show', 'eth0']), eth0, 'eth0 is untouched')
    await until('the status', async () => (await statusOf(lab, pod)).length === 2)
  })

  await t.test('metrics', async t => {
    await until(
      'what is attached',
      async () => (await readMetric(pod.node, 'nopal_attachments', 'state="attached"')) === 3,
    )
    t.ok((await readMetric(pod.node, 'nopal_attach_duration_seconds_count', 'action="attach"')) >= 5)
    t.ok((await readMetric(pod.node, 'nopal_attach_duration_seconds_count', 'action="detach"')) >= 2)
  })

  await t.test('the status and the page', async t => {
    const networks = [
      { name: 'default/green', interface: green, ips: [await other.address(green)] },
      { name: 'default/blue', interface: blue },
    ]
    const { attachments, events } = await readStatus(pod.node)
    t.match(attachments, { attached: 3, missing: 0 })
    t.match(
      attachments.pods.find(each => each.pod.endsWith('/app2')),
      { networks, problems: [] },
    )
    t.match(
      events.find(({ reason }) => reason === 'RemovedInterface'),
      { about: /^Pod .*\/app1$/, type: 'Normal' },
    )
    t.match((await askAgent(pod.node, '/')).text, new RegExp(`app2.*default/green <code>${green}</code>`, 's'))
  })
}

async function badInput(t: Test, lab: Lab, pod: LabPod): Promise<void> {
  await t.test("a record that is none, of another's container, keeps no pod waiting", async t => {
    const torn = pod.node.path('/var/lib/cni/kactus/records/torn.json')
    writeFileSync(torn, '{"schema"')
    t.teardown(() => rmSync(torn, { force: true }))
    await annotate(lab, pod, { networks: [{ name: 'green' }, { name: 'blue' }] })
    await untilLinks(pod, [green, blue])
    await annotate(lab, pod, { networks: [{ name: 'blue' }] })
    await untilLinks(pod, [blue])
  })

  await t.test('no JSON: what is attached stays, and an Event says what is wrong', async t => {
    await annotate(lab, pod, { networks: '[{"name": "green"' })
    await untilSaidOf(lab, pod, /FailedAddingInterface .*no JSON.*stays/)
    t.equal(await linksOf(pod), `${[blue, 'eth0'].sort().join(' ')}`)
  })

  await t.test(
    'one that does not exist, one named twice: the rest is attached; the first comes when it is there',
    async t => {
      await annotate(lab, pod, { networks: [{ name: 'late' }, { name: 'green' }, { name: 'green' }, { name: 'blue' }] })
      await untilLinks(pod, [green, blue])
      await untilSaidOf(lab, pod, /FailedAddingInterface network late, .*no Network late in namespace default/)
      await untilSaidOf(lab, pod, /FailedAddingInterface network green is named twice/)
      const lacking = await until('what is missing', async () => {
        const { pods } = (await readStatus(pod.node)).attachments
        const { problems = [] } = pods.find(each => each.pod.endsWith('/app1')) ?? {}
        return problems.length === 2 && problems
      })
      t.match(lacking, [/network green is named twice/, /network late, .*no Network late in namespace default/])
      const ipam = { type: 'host-local', subnet: '192.168.45.0/24' }
      const spec = { plugin: 'bridge', config: JSON.stringify({ bridge: 'late0', ipam }) }
      const body = { apiVersion: 'kaloom.com/v1', kind: 'Network', metadata: { name: 'late' }, spec }
      await ask(lab.api, { method: 'POST', path: '/apis/kaloom.com/v1/namespaces/default/networks', body })
      await until('late', async () => recordedOf(pod).includes('default/late added'))
      t.match(await pod.run(['ip', 'addr']), /192\.168\.45\./)
    },
  )

  await t.test("another team's network is refused, with the reason", async () => {
    await annotate(lab, pod, { networks: [{ name: 'green', namespace: 'kube-system' }, { name: 'blue' }] })
    await untilSaidOf(lab, pod, /FailedAddingInterface network kube-system\/green.*may not use/)
    await untilLinks(pod, [blue])
    await untilRecorded(pod, ['lab', 'default/blue'])
  })

  await t.test('edited faster than plugins run: the last one counts', async () => {
    for (let turn = 0; turn < 10; turn++)
      await annotate(lab, pod, { networks: turn % 2 === 0 ? [{ name: 'green' }] : [] })
    await annotate(lab, pod, { networks: [{ name: 'green', ifMac: mac }, { name: 'blue' }] })
    await untilLinks(pod, [green, blue])
    await untilMac(pod, green)
    await untilRecorded(pod, ['lab', 'default/blue', 'default/green'])
  })
}

async function asMultus(t: Test, lab: Lab, pod: LabPod): Promise<void> {
  await t.test('the same through the annotation of multus, where the pod has none of ours', async t => {
    await defineAttachment(lab)
    await annotate(lab, pod, { networks: null, [multusAnnotation]: 'red@red0' })
    await untilLinks(pod, ['red0'])
    t.match(await pod.address('red0'), /^192\.168\.44\./)
    await annotate(lab, pod, { [multusAnnotation]: [{ name: 'red', interface: 'red1', mac }] })
    await untilLinks(pod, ['red1'])
    await untilMac(pod, 'red1')
    await annotate(lab, pod, { [multusAnnotation]: null, networks: [{ name: 'green' }] })
    await untilLinks(pod, [green])
  })
}

async function defineAttachment(lab: Lab): Promise<void> {
  const ipam = { type: 'host-local', subnet: '192.168.44.0/24' }
  const config = JSON.stringify({
    cniVersion: '1.0.0',
    type: 'bridge',
    bridge: 'red0',
    ipam,
    capabilities: { mac: true },
  })
  const body = {
    apiVersion: 'k8s.cni.cncf.io/v1',
    kind: 'NetworkAttachmentDefinition',
    metadata: { name: 'red' },
    spec: { config },
  }
  const path = '/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions'
  await ask(lab.api, { method: 'POST', path, body })
}

/** Writes a line for each run of a plugin, before it runs. */
async function countCalls(lab: Lab): Promise<() => number> {
  const node = lab.node(1)
  const [real, wrapper] = [node.path('/opt/cni/bin/bridge.real'), node.path('/opt/cni/bin/bridge')]
  writeFileSync(real, readFileSync(wrapper), { mode: 0o755 })
  const log = node.path('/var/lib/cni/calls')
  writeFileSync(log, '')
  writeFileSync(
    `${wrapper}.new`,
    '#!/bin/sh\necho "$CNI_COMMAND $CNI_IFNAME" >>/var/lib/cni/calls\nexec /opt/cni/bin/bridge.real\n',
    { mode: 0o755 },
  )
  await lab.run.run(['mv', `${wrapper}.new`, wrapper])
  return () => readFileSync(log, 'utf8').split('\n').length - 1
}

async function restarts(t: Test, lab: Lab, pod: LabPod, first: Program): Promise<void> {
  const node = lab.node(1)
  let agent = first
  const restart = async () => {
    agent = await lab.startAgent(node, { settings: hotplugSettings })
    await agent.waitForLog(/"kactus is answered"/)
  }
  await annotate(lab, pod, { networks: [{ name: 'green' }, { name: 'blue' }] })
  await untilLinks(pod, [green, blue])
  const calls = await countCalls(lab)

  await t.test('the agent is restarted: not one call', async t => {
    const before = await pod.run(['ip', '-json', 'addr'])
    t.equal(await agent.stop('SIGTERM', 5000), 0)
    await restart()
    // What has to be done for another pod comes after all that was there at the start.
    const late = await lab.startPod(node, { name: 'late' })
    await sayRunning(lab, late)
    const started = calls()
    await annotate(lab, late, { networks: [{ name: 'green' }] })
    await untilLinks(late, [green])
    t.equal(calls() - started, 1, 'for that pod alone')
    t.equal(await pod.run(['ip', '-json', 'addr']), before)
    await late.stop()
  })

  await t.test('edited while the agent is down: the exact difference', async t => {
    await agent.stop('SIGKILL')
    const before = calls()
    const kept = await pod.run(['ip', '-json', 'addr', 'show', blue])
    await annotate(lab, pod, { networks: [{ name: 'blue' }] })
    await restart()
    await untilLinks(pod, [blue])
    t.equal(calls() - before, 1, 'one DEL')
    t.equal(await pod.run(['ip', '-json', 'addr', 'show', blue]), kept)
  })
}
