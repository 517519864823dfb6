import t, { type Test } from 'tap'
import { cablesOf } from '../machine/segment.ts'
import { until } from '../machine/wait.ts'
import { isBuilt, type KactusBuild } from './agent.ts'
import { rememberedOf } from './attachments.ts'
import { startLab } from './lab.ts'
import { hasTestTaint, readNode } from './objects.ts'
import type { LabPod } from './pods.ts'
import { firstConfName } from './runtime.ts'

const green = 'net9f27410725ab'
const blue = 'net48d6215903df'
const ping = ['ping', '-c', '1', '-W', '5']

interface Executable {
  readonly name: KactusBuild
  readonly howToBuild: string
}

const executables: readonly Executable[] = [
  { name: 'kactus', howToBuild: './build.sh' },
  { name: 'kactus-pkg', howToBuild: './build.sh --packager=pkg' },
]

for (const { name, howToBuild } of executables) {
  const skip = isBuilt(name) ? false : `dist/${name} is not built: ${howToBuild}`
  t.test(`pods with networks by dist/${name}`, { skip }, async t => {
    const lab = await startLab()
    t.teardown(async () => {
      if (!t.passing()) t.comment(lab.run.logTails(40))
      await lab.stop()
    })
    const [one, two] = [lab.node(1), lab.node(2)]
    // From the host alone: every cable and address there is shall be a pod's.
    const settings = '[verify]\nfrom = host\ninterval = 1s\n'
    await Promise.all(lab.nodes.map(node => lab.startAgent(node, { kactus: name, settings })))
    for (const node of lab.nodes) {
      await until(`kactus on ${node.name}`, () => firstConfName(node) === '05-kactus.conflist')
      await until(`${node.name} verified`, async () => !hasTestTaint(await readNode(lab.api, node.name)))
    }
    const networks = ['green', 'blue']
    const [here, neighbour, far] = await Promise.all([
      lab.startPod(one, { name: 'app1', networks }),
      lab.startPod(one, { name: 'app2', networks }),
      lab.startPod(two, { name: 'app3', networks }),
    ])

    await t.test('a pod has the default network and both others, by name', async t => {
      const links = await here.interfaces()
      t.same(links.map(link => link.name).sort(), ['eth0', blue, green])
      t.match(await here.address('eth0'), /^10\.42\.1\./)
      t.match(await here.address(green), /^192\.168\.42\./)
      t.match(await here.address(blue), /^192\.168\.43\./)
      t.match(here.result.ips, [{ address: `${await here.address('eth0')}/24` }], 'the runtime is told of eth0 alone')
      t.equal(here.result.ips?.length, 1)
    })

    await t.test('packets arrive over each of them', async () => {
      for (const link of [green, blue]) await here.run([...ping, '-I', link, await neighbour.address(link)])
      await here.run([...ping, await neighbour.address('eth0')])
      await here.run([...ping, await far.address('eth0')])
    })

    await t.test('a network that does not exist is an error and leaves nothing', async t => {
      const before = await cablesOf(one)
      await t.rejects(lab.startPod(one, { name: 'lost', networks: ['green', 'nowhere'] }), { message: /nowhere/ })
      t.same(await cablesOf(one), before)
    })

    await t.test('DEL leaves no interface, address or record', async t => {
      for (const pod of [here, neighbour, far]) await endsCleanly(t, pod)
      t.same(await cablesOf(one), [])
    })

    await t.test('a pod without the annotation has eth0 alone', async t => {
      const plain = await lab.startPod(one, { name: 'plain' })
      t.same(
        (await plain.interfaces()).map(link => link.name),
        ['eth0'],
      )
      await endsCleanly(t, plain)
    })
  })
}

async function endsCleanly(t: Test, pod: LabPod): Promise<void> {
  const { containerId } = pod.sandbox
  t.not((await rememberedOf(pod.node, containerId)).length, 0, `${pod.name} is known before`)
  await pod.detach()
  t.same(await pod.interfaces(), [], `${pod.name} has no interface`)
  t.same(await rememberedOf(pod.node, containerId), [], `nobody remembers ${pod.name}`)
  await pod.stop()
}
