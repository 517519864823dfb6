import { messageOf } from '../../../cni/host/system-error.ts'
import { type Lab, startLab } from '../lab.ts'
import { leftoversOf } from '../leftovers.ts'
import type { LabPod } from '../pods.ts'
import { unplugAndPlug } from './hot-plug.ts'
import { holdLab, tellInBackground } from './keep.ts'
import { leakAndHeal, seeProved } from './leak.ts'
import * as story from './story.ts'
import { createTeller, type Teller } from './teller.ts'

// The demo: the thin line through the whole system, told to a person. scripts/demo.sh starts it.

const flags = new Set(process.argv.slice(2))
const colours = process.stdout.isTTY && process.stdout.hasColors()
if (flags.has('--keep')) process.exitCode = await tellInBackground(import.meta.filename, colours)
else process.exitCode = await runDemo(createTeller(process.stdout, colours || flags.has('--colours')))

async function runDemo(teller: Teller): Promise<number> {
  const start = performance.now()
  let lab: Lab | undefined
  try {
    teller.say('nopal demo: two nodes on a WireGuard mesh, each in namespaces of its own on this machine\n')
    await teller.step('two nodes with a mesh, an API server and a name server', async () => {
      lab = await startLab({ api: 'embedded' })
      return story.describeNodes(lab)
    })
    if (lab === undefined) return 1
    const pods = await tellStory(lab, teller)
    if (flags.has('--held')) {
      holdLab(lab, pods, teller)
      return 0
    }
    await takeDown(lab, pods, teller)
    teller.say(`\nDone in ${((performance.now() - start) / 1000).toFixed(1)} s.`)
    return 0
  } catch (error) {
    const reason = messageOf(error)
    teller.say(`\nThe demo failed: ${reason}\n${lab?.run.logTails() ?? ''}`)
    await lab?.stop()
    return 1
  }
}

async function tellStory(lab: Lab, teller: Teller): Promise<readonly LabPod[]> {
  const { step } = teller
  await step('agents start while names do not resolve: both nodes stay closed', () => story.failWithoutDns(lab))
  await step('the name server is back: both nodes prove their network and open', () => story.passWithDns(lab))
  await step('kactus is installed on both nodes', () => story.seeInstalled(lab))
  const networks = ['green', 'blue']
  const pods: LabPod[] = []
  await step('pods app1 and app2 start on n1, app3 on n2, each with networks green and blue', async () => {
    for (const [index, node] of [lab.node(1), lab.node(1), lab.node(2)].entries()) {
      pods.push(await lab.startPod(node, { name: `app${index + 1}`, networks }))
    }
    return []
  })
  const [app1, app2, app3] = pods
  if (app1 === undefined || app2 === undefined || app3 === undefined) throw new Error('three pods wanted')
  await step('app1 has eth0, green as net9f27410725ab and blue as net48d6215903df', () => story.showInterfaces(app1))
  await step('app1 reaches app2 over green', () => story.pingOver('green', app1, app2))
  await step('app1 reaches app2 over blue', () => story.pingOver('blue', app1, app2))
  await step('app1 reaches app3 across the mesh', () => story.pingAcross(app1, app3))
  await step('its annotation is edited while it runs: green goes, and comes back', () => unplugAndPlug(lab, app1))
  await step("an address of n2's pods leaks in as its endpoint on n1: seen, and put right", () => leakAndHeal(lab))
  await step('app1 reaches app3 across the mesh again', () => story.pingAcross(app1, app3))
  await step('n1 passes again, once nobody has put it back for 20 s', () => seeProved(lab))
  await step('both nodes, as the cluster sees them', () => story.showNodes(lab))
  return pods
}

async function takeDown(lab: Lab, pods: readonly LabPod[], teller: Teller): Promise<void> {
  await teller.step('the pods end: no interface, address or record stays', async () => {
    return (await Promise.all(pods.map(story.endPod))).flat()
  })
  await teller.step('everything is taken down, and this machine is as it was', async () => {
    await lab.stop()
    const left = leftoversOf(lab.run.id)
    if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`)
    return []
  })
}
