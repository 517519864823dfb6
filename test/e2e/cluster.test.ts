import { readFileSync } from 'node:fs'
import t from 'tap'
import { findKubeAssets } from '../cluster/assets.ts'
import { testTaint } from '../lab/objects.ts'
import { CommandFailed } from '../machine/command.ts'
import { until } from '../machine/wait.ts'
import { images } from './cluster/images.ts'
import { ClusterMachine } from './cluster/machine.ts'
import { mesh, net, planCluster } from './cluster/plan.ts'
import { leftoversOf } from './leftovers.ts'
import {
  cacheFolder,
  clusterCommand,
  foreignClusterCommand,
  randomClusterId,
  startClusterCommand,
  startTestCluster,
  type TestCluster,
  takeDownAfter,
} from './test-cluster.ts'
import { timed } from './timed.ts'

/** Kernel settings of the whole machine that a kubelet would change. */
const sysctls = ['kernel/panic', 'kernel/panic_on_oops', 'vm/overcommit_memory', 'kernel/keys/root_maxkeys']
const readSysctls = () => sysctls.map(name => readFileSync(`/proc/sys/${name}`, 'utf8').trim())

/** One pod on each node. */
const boxes = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'box' },
  spec: {
    selector: { matchLabels: { app: 'box' } },
    template: {
      metadata: { labels: { app: 'box' } },
      spec: {
        tolerations: [{ operator: 'Exists' }],
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'box', image: images.busybox, imagePullPolicy: 'Never', command: ['sleep', '3600'] }],
      },
    },
  },
}

interface Pod {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly nodeName: string }
  readonly status: { readonly podIP: string }
}

async function startBoxes({ kubectl }: TestCluster): Promise<readonly Pod[]> {
  await kubectl(['apply', '-f', '-'], JSON.stringify(boxes))
  await kubectl(['rollout', 'status', 'daemonset/box', '--timeout=60s'])
  const { items } = JSON.parse(await kubectl(['get', 'pods', '-l', 'app=box', '-o', 'json'])) as { items: Pod[] }
  return items
}

t.test('a cluster as it is before nopal comes', async t => {
  const before = readSysctls()
  const cluster = await timed(t, 'up', startTestCluster)
  t.teardown(() => cluster.down())
  const { kubectl } = cluster

  t.test('a second start is refused and says what to do', async t => {
    const { code, text } = await clusterCommand(cluster.plan.id, 'up')
    t.equal(code, 1)
    t.match(text, /is there already.*"down"/)
    t.match(await clusterCommand(cluster.plan.id, 'status'), { code: 0, text: /up\n/ }, 'the first is untouched')
  })

  t.test('it is found also by who keeps another cache', async t => {
    const KUBEBUILDER_ASSETS = await findKubeAssets(['kubectl'])
    const env = { XDG_CACHE_HOME: t.testdir(), KUBEBUILDER_ASSETS }
    const { code, text } = await foreignClusterCommand(env, cluster.plan.id, 'kubectl', 'get', 'nodes', '-o', 'name')
    t.same([code, text], [0, 'node/n1\nnode/n2\n'])
    t.match(await foreignClusterCommand(env, cluster.plan.id, 'up'), { code: 1, text: /is there already/ })
  })

  t.test('nodes register with the taint that nopal lifts', async t => {
    const { items } = JSON.parse(await kubectl(['get', 'nodes', '-o', 'json'])) as {
      items: { spec: { taints: object[] } }[]
    }
    t.equal(items.length, 2)
    for (const { spec } of items) t.match(spec.taints, [testTaint])
  })

  t.test('pods of both nodes reach each other over the mesh, and DNS', async t => {
    const pods = await startBoxes(cluster)
    t.same(pods.map(pod => pod.spec.nodeName).sort(), ['n1', 'n2'])
    for (const [pod, other] of [pods, [...pods].reverse()]) {
      if (pod === undefined || other === undefined) continue
      const inPod = (...argv: readonly string[]) => kubectl(['exec', pod.metadata.name, '--', ...argv])
      t.match(await inPod('ping', '-c', '1', '-W', '5', other.status.podIP), / 0% packet loss/)
      t.match(await inPod('nslookup', `kubernetes.default.svc.${net.clusterDomain}`), net.apiService)
      t.match(await inPod('nslookup', 'example.com'), net.names['example.com'])
    }
    t.match(await cluster.nodes.get('n1')?.run(['wg', 'show', mesh.device, 'latest-handshakes']), /\t[1-9]\d+\n/)
  })

  t.test('the mesh carries them: without it they do not reach each other', async t => {
    const pods = await startBoxes(cluster)
    await cluster.nodes.get('n2')?.run(['ip', 'link', 'set', mesh.device, 'down'])
    const [first, second] = pods.map(pod => ({ name: pod.metadata.name, address: pod.status.podIP }))
    const ping = ['exec', first?.name ?? '', '--', 'ping', '-c', '1', '-W', '1', second?.address ?? '']
    const answer = await kubectl(ping).catch(error => (error instanceof CommandFailed ? error.output.stdout : error))
    t.match(answer, /100% packet loss/)
  })

  t.test('down leaves nothing, and kernel settings are as before', async t => {
    t.not(leftoversOf(cluster.plan).length, 0, 'what is there is seen')
    t.match(await timed(t, 'down', () => clusterCommand(cluster.plan.id, 'down')), { code: 0 })
    t.same(leftoversOf(cluster.plan), [])
    t.same(readSysctls(), before)
    t.match(await clusterCommand(cluster.plan.id, 'status'), { code: 1, text: /not there/ })
    t.match(await clusterCommand(cluster.plan.id, 'down'), { code: 0, text: /no cluster/ }, 'again')
  })
})

t.test('of two starts at once one is refused and says what to do, and the other comes up', async t => {
  const plan = planCluster(randomClusterId(), cacheFolder())
  takeDownAfter(t, plan.id)
  const ends = await Promise.all([clusterCommand(plan.id, 'up'), clusterCommand(plan.id, 'up')])
  const [winner, loser] = ends.toSorted((one, other) => one.code - other.code)
  t.match(winner, { code: 0, text: /DNS ready/ })
  t.match(loser, { code: 1, text: /is there already.*"down"/ })
  t.notMatch(loser?.text, /machines/, 'it has made nothing')
  t.match(await clusterCommand(plan.id, 'status'), { code: 0, text: /up\n/ })
  t.match(await clusterCommand(plan.id, 'down'), { code: 0 })
  t.same(leftoversOf(plan), [])
})

interface Ending {
  readonly name: string
  /** The line of progress after which the start is ended. */
  readonly after: RegExp
  readonly signal: NodeJS.Signals
}

const endings: readonly Ending[] = [
  { name: 'Ctrl-C while machines start', after: /machines/, signal: 'SIGINT' },
  { name: 'SIGTERM while the API server starts', after: /containerd/, signal: 'SIGTERM' },
  { name: 'kill -9 while machines start', after: /machines/, signal: 'SIGKILL' },
  { name: 'kill -9 while the API server starts', after: /containerd/, signal: 'SIGKILL' },
  { name: 'kill -9 while pods start', after: /both nodes ready/, signal: 'SIGKILL' },
]

for (const { name, after, signal } of endings) {
  t.test(`${name}: down leaves nothing`, async t => {
    const plan = planCluster(randomClusterId(), cacheFolder())
    takeDownAfter(t, plan.id)
    const { child, ended, text } = startClusterCommand(plan.id, ['up'])
    await until(`"${after.source}"`, () => after.test(text()), { limitMs: 60_000, everyMs: 5 })
    child.kill(signal)
    await ended
    if (signal === 'SIGKILL') await clusterCommand(plan.id, 'down')
    t.same(leftoversOf(plan), [])
  })
}

t.test('programs of the cluster killed with kill -9: status names them, down leaves nothing', async t => {
  const cluster = await startTestCluster()
  t.teardown(() => cluster.down())
  await startBoxes(cluster)
  for (const [machine, program] of [
    ['n1', 'containerd'],
    ['n1', 'anchor'],
    ['n2', 'kubelet'],
    ['cp', 'etcd'],
  ] as const) {
    await ClusterMachine.open(cluster.plan, machine).group.stop(program, 'SIGKILL')
  }
  const { text } = await clusterCommand(cluster.plan.id, 'status')
  for (const program of ['containerd', 'kubelet', 'etcd']) t.match(text, `${program} (ended)`)
  t.match(await clusterCommand(cluster.plan.id, 'down'), { code: 0 })
  t.same(leftoversOf(cluster.plan), [])
})
