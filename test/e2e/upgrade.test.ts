import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { chartFolder, runHelm } from '../cluster/helm.ts'
import { until } from '../machine/wait.ts'
import { type Bed, type BedNode, describeAgents, prepareBed } from './bed.ts'
import { importImages } from './cluster/node.ts'
import { strayTraces } from './host.ts'
import { endPod, eventsBecause, type Pod, readPod, startPod, waitForVerified } from './objects.ts'
import { comeAndGo, onBoth } from './pods-on-networks.ts'
import { findPreviousRelease, type PreviousRelease } from './previous-release.ts'
import { agentOn, buildImage, pidOf } from './product.ts'
import { startTestCluster } from './test-cluster.ts'
import { timed } from './timed.ts'

/** A pod that runs all the while. */
interface Workload {
  readonly node: BedNode
  readonly pod: Pod
  /** Its interfaces and addresses at first. */
  readonly addresses: string
  /** The file that says what became of them since. */
  readonly changes: string
}

t.test('from the release before to this one, and back, by Helm', async t => {
  const previous = await timed(t, 'the release before is built', findPreviousRelease)
  const archive = await timed(t, 'the image is built', buildImage)
  const cluster = await timed(t, 'the cluster is up', startTestCluster)
  t.teardown(() => cluster.down())
  const bed = await prepareBed(cluster, archive)
  await Promise.all(bed.nodes.map(({ machine }) => importImages(machine, [previous.archive])))
  t.teardown(async () => {
    if (!t.passing()) t.comment(await describeAgents(bed))
  })
  await installPrevious(bed, previous)
  const older = await startWorkloads(bed, 'older')
  const oldest = await startWorkloads(bed, 'oldest')

  await change(t, bed, { name: 'upgrade', words: ['upgrade', 'nopal', chartFolder], workloads: [...older, ...oldest] })
  await endWorkloads(t, bed, older, 'what the version before has attached, this one detaches')
  // On two nodes the leader has no third place to be replaced from.
  await bed.cluster.kubectl(['-n', 'nopal', 'rollout', 'status', 'deployment/nopal-leader', '--timeout=110s'])
  const younger = await startWorkloads(bed, 'younger')

  const back = { name: 'downgrade', words: ['rollback', 'nopal', '1'] }
  await change(t, bed, { ...back, workloads: [...oldest, ...younger] })
  await endWorkloads(t, bed, [...oldest, ...younger], 'what this version has attached, the one before detaches')
})

async function helm({ cluster }: Bed, words: readonly string[]): Promise<void> {
  const all = [...words, '--namespace', 'nopal', '--kubeconfig', cluster.plan.kubeconfig]
  const { code, stdout, stderr } = await runHelm(all)
  if (code !== 0) throw new Error(`helm ${words.join(' ')}: ${stdout}${stderr}`)
}

/** As its manifests say it, but as a chart: it had none of its own. */
async function installPrevious(bed: Bed, { version, manifests }: PreviousRelease): Promise<void> {
  const { kubectl, plan } = bed.cluster
  const objects = (await kubectl(['kustomize', manifests])).split(/^---$/m)
  const folder = await mkdtemp(join(plan.folder, 'chart-'))
  try {
    await mkdir(join(folder, 'templates'))
    await writeFile(join(folder, 'Chart.yaml'), `apiVersion: v2\nname: nopal\nversion: ${version}\n`)
    const wanted = objects.filter(text => !/^kind: Namespace$/m.test(text))
    await writeFile(join(folder, 'templates/all.yaml'), wanted.join('---'))
    await helm(bed, ['install', 'nopal', folder, '--create-namespace'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  await untilInPlace(bed)
  const networks = ['green', 'blue'].flatMap(name => ['-f', join(manifests, `examples/${name}-net.yaml`)])
  await kubectl(['apply', ...networks])
}

async function untilInPlace({ cluster: { admin, kubectl }, nodes }: Bed): Promise<void> {
  await kubectl(['-n', 'nopal', 'rollout', 'status', 'daemonset/nopal', '--timeout=110s'])
  await Promise.all(nodes.map(({ name }) => waitForVerified(admin, name)))
}

function startWorkloads({ cluster: { admin }, nodes }: Bed, prefix: string): Promise<readonly Workload[]> {
  return Promise.all(
    nodes.map(async node => {
      const name = `${prefix}-${node.name}`
      const pod = await startPod(admin, { name, node: node.name, annotations: onBoth })
      const inside = ['nsenter', `--net=/proc/${await pidOf(node.machine, pod)}/ns/net`]
      node.machine.start({ name: `ip-${name}`, argv: [...inside, 'ip', 'monitor', 'link', 'address'] })
      const changes = join(node.machine.folder, 'log', `ip-${name}.log`)
      return { node, pod, changes, addresses: await addressesOf({ node, pod }) }
    }),
  )
}

async function addressesOf({ node, pod }: Pick<Workload, 'node' | 'pod'>): Promise<string> {
  const pid = await pidOf(node.machine, pod)
  return node.machine.run(['nsenter', `--net=/proc/${pid}/ns/net`, 'ip', '-o', '-4', 'address'])
}

interface Change {
  readonly name: string
  /** Of helm. */
  readonly words: readonly string[]
  readonly workloads: readonly Workload[]
}

/** Changes the version while pods come and go. */
async function change(t: Test, bed: Bed, { name, words, workloads }: Change): Promise<void> {
  await t.test(name, async t => {
    const { cluster, nodes } = bed
    const { admin } = cluster
    const agents = () => Promise.all(nodes.map(node => agentOn(cluster, node.name)))
    const before = await agents()
    let changing = true
    const starts = nodes.flatMap(node => [0, 1].map(lane => comeAndGo(admin, { node, lane, more: () => changing })))
    try {
      await timed(t, name, async () => {
        await helm(bed, words)
        await untilInPlace(bed)
      })
    } finally {
      changing = false
    }
    const counts = await Promise.all(starts)
    t.comment(`${counts.reduce((sum, each) => sum + each, 0)} pods came and went`)
    for (const [at, agent] of (await agents()).entries()) t.not(agent?.metadata.uid, before[at]?.metadata.uid)
    t.same(await eventsBecause(admin, 'FailedCreatePodSandBox'), [], 'no start of a pod has failed')
    t.same(await eventsBecause(admin, 'FailedKillPod'), [], 'and no end')
    for (const workload of workloads) await isUntouched(t, bed, workload)
  })
}

async function isUntouched(t: Test, { cluster: { admin } }: Bed, workload: Workload): Promise<void> {
  const { name } = workload.pod.metadata
  t.equal(await addressesOf(workload), workload.addresses, name)
  t.notMatch(await readFile(workload.changes, 'utf8'), /Deleted|state DOWN/, `${name} had all of them all the while`)
  const pod = await readPod(admin, name)
  t.same(
    pod?.status.containerStatuses?.map(({ restartCount }) => restartCount),
    [0],
  )
}

async function endWorkloads(t: Test, { cluster: { admin } }: Bed, all: readonly Workload[], title: string) {
  await t.test(title, async t => {
    await Promise.all(all.map(({ pod }) => endPod(admin, pod.metadata.name)))
    for (const { node } of all)
      await until(
        `nothing to stay on ${node.name}`,
        async () => {
          const found = await strayTraces(node.machine)
          return found.length === 0 ? true : Promise.reject(new Error(found.join(', ')))
        },
        { despiteErrors: true },
      )
    t.same(await eventsBecause(admin, 'FailedKillPod'), [])
  })
}
