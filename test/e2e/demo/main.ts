import { messageOf } from '../../../cni/host/system-error.ts'
import { createTeller, type Teller } from '../../lab/demo/teller.ts'
import { type Bed, prepareBed } from '../bed.ts'
import { leftoversOf } from '../leftovers.ts'
import { buildImage } from '../product.ts'
import { startTestCluster, type TestCluster } from '../test-cluster.ts'
import * as story from './story.ts'

// The demo on a real cluster: the same story as the one in network namespaces. scripts/demo.sh --cluster starts it.

const keeps = process.argv.includes('--keep')
const colours = process.stdout.isTTY && process.stdout.hasColors()
// Also on a signal: whoever holds the cluster takes it down when this process is gone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))
process.exit(await runDemo(createTeller(process.stdout, colours)))

async function runDemo(teller: Teller): Promise<number> {
  const start = performance.now()
  let cluster: TestCluster | undefined
  try {
    teller.say('nopal demo: a real cluster on this machine, with two nodes on a WireGuard mesh\n')
    cluster = await tellStory(teller)
    if (keeps) sayHowToLook(cluster, teller)
    else await takeDown(cluster, teller)
    teller.say(`\nDone in ${((performance.now() - start) / 1000).toFixed(1)} s.`)
    return 0
  } catch (error) {
    teller.say(`\nThe demo failed: ${messageOf(error)}`)
    return 1
  }
}

async function tellStory(teller: Teller): Promise<TestCluster> {
  const { step } = teller
  const archive = await tell(teller, 'the image of nopal is built', buildImage, file => [file])
  const title = 'control plane, two nodes with kubelet and containerd, mesh and DNS (minutes the first time)'
  const cluster = await tell(teller, title, startTestCluster, each => [`cluster ${each.plan.id}`])
  const prepare = () => prepareBed(cluster, archive)
  const bed: Bed = await tell(teller, 'both nodes have the image', prepare, () => [])
  await step('kubectl apply -k daemonset while names do not resolve: both nodes stay closed', () =>
    story.failWithoutDns(bed),
  )
  await step('the name server is back: both nodes prove their network and open', () => story.passWithDns(bed))
  await step('kactus is installed on both nodes', () => story.seeInstalled(bed))
  await step('pods app1, app2 and app3 start, each with networks green and blue', () => story.startPods(bed))
  await step('app1 has eth0, green as net9f27410725ab and blue as net48d6215903df', () => story.showInterfaces(bed))
  await step('app1 reaches app2 over green', () => story.pingOver(bed, 'green'))
  await step('app1 reaches app2 over blue', () => story.pingOver(bed, 'blue'))
  await step('app1 reaches app3 across the mesh', () => story.pingAcross(bed))
  await step('both nodes, as kubectl shows them', () => story.showNodes(bed))
  bed.history.close()
  return cluster
}

/** A step that makes something the next ones need. */
async function tell<T>(
  { step }: Teller,
  title: string,
  work: () => Promise<T>,
  details: (made: T) => readonly string[],
): Promise<T> {
  const made: T[] = []
  await step(title, async () => {
    const one = await work()
    made.push(one)
    return details(one)
  })
  const [one] = made
  if (one === undefined) throw new Error(`nothing came of: ${title}`)
  return one
}

async function takeDown(cluster: TestCluster, { step }: Teller): Promise<void> {
  await step('the pods end: no address or record of them stays', () => story.endPods(cluster))
  await step('everything is taken down, and this machine is as it was', async () => {
    await cluster.down()
    const left = leftoversOf(cluster.plan)
    if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`)
    return []
  })
}

function sayHowToLook(cluster: TestCluster, { say }: Teller): void {
  cluster.keep()
  const call = `scripts/cluster.sh --name ${cluster.plan.id}`
  say('\nIt keeps running. To look around, as root:\n')
  say(`  # what runs\n  ${call} kubectl get pods -A -o wide`)
  say(`  # any program in pod app1\n  ${call} kubectl exec deploy/app1 -- ip addr`)
  say(`  # any program on node n1\n  ${call} on n1 wg show`)
  say(`\nTo end it and clean up:\n  ${call} down`)
}
