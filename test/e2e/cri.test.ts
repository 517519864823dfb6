import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createCri } from '../../agent/podagent/cri.ts'
import { callGrpc } from '../../cni/host/grpc.ts'
import { isNetns } from '../../cni/host/netns.ts'
import { bytesField, readFields, stringsOf } from '../../cni/host/protobuf.ts'
import { findKubeAssets } from '../cluster/assets.ts'
import { until } from '../machine/wait.ts'
import { findImages } from './cluster/images.ts'
import { startContainerd, startNodeMachine, writeCniConfig } from './cluster/node.ts'
import { cniConfig } from './cluster/node-config.ts'
import { nodePlans, planCluster } from './cluster/plan.ts'
import { leftoversOf } from './leftovers.ts'
import { cacheFolder, clusterCommand, randomClusterId, takeDownAfter } from './test-cluster.ts'

const { signal } = new AbortController()

const containerd2 = await findKubeAssets(['containerd', 'containerd-shim-runc-v2', 'ctr'])
const runtimes = [
  { version: /^1\./, programs: undefined },
  { version: /^v?2\.4\./, programs: containerd2 },
]

for (const runtime of runtimes)
  t.test(`containerd ${runtime.version} by the Container Runtime Interface`, t => ask(t, runtime))

/** What the agent asks a container runtime, asked of a containerd about sandboxes that it made. */
async function ask(t: Test, { version, programs }: (typeof runtimes)[number]): Promise<void> {
  const cluster = planCluster(randomClusterId(), cacheFolder())
  takeDownAfter(t, cluster.id)
  const [plan] = nodePlans
  if (plan === undefined) throw new Error('there is no plan of a node')
  await mkdir(cluster.folder, { recursive: true, mode: 0o755 })
  const coredns = join(await findKubeAssets(['coredns']), 'coredns')
  const machine = await startNodeMachine(plan, cluster)
  await startContainerd(machine, await findImages(cacheFolder(), coredns), programs)
  await writeCniConfig(machine, cniConfig('10.42.1.0/24'))
  const socket = machine.path('/run/containerd/containerd.sock')
  const cri = createCri(socket)

  const call = async (method: string, message: Uint8Array) => {
    const path = `/runtime.v1.RuntimeService/${method}`
    return readFields(await callGrpc({ socket, method: path, message, limitMs: 30_000, mostBytes: 2 ** 20 }))
  }
  const [found = ''] = stringsOf(await call('Version', Buffer.alloc(0)), 3)
  t.match(found, version)

  await t.test('none at first', async t => {
    t.same(await cri.sandboxes(signal), [])
    t.equal(await cri.readySandbox('uid-1', signal), undefined)
  })

  // The configuration comes a moment before containerd has read it; of a sandbox that failed until then something may stay.
  await until('containerd to have read its network', async () => isNetworkReady(await call('Status', Buffer.alloc(0))))
  const make = async (name: string) => {
    const config = sandboxConfig(name, `pod-${name}`, machine.group.name)
    const [id = ''] = stringsOf(await call('RunPodSandbox', bytesField(1, config)), 1)
    return id
  }
  const [one, two] = [await make('1'), await make('2')]

  await t.test('the ready one of a pod, with its namespace', async t => {
    const found = await cri.readySandbox('uid-1', signal)
    t.equal(found?.containerId, one)
    t.match(found?.netns, /^\/var\/run\/netns\/cni-/)
    t.ok(isNetns(machine.path((found?.netns ?? '').replace('/var/run', '/run'))), 'which is one')
    t.match(await machine.run(['nsenter', `--net=${found?.netns}`, 'ip', '-o', '-4', 'addr']), / eth0 +inet 10\.42\./)
    t.equal(await cri.readySandbox('uid-3', signal), undefined)
  })

  await t.test('one that has ended is among all, and not ready; one that is removed is nowhere', async t => {
    await call('StopPodSandbox', bytesField(1, two))
    t.equal(await cri.readySandbox('uid-2', signal), undefined)
    const both = [
      { containerId: one, podUid: 'uid-1' },
      { containerId: two, podUid: 'uid-2' },
    ]
    t.strictSame(
      new Set((await cri.sandboxes(signal))?.map(each => JSON.stringify(each))),
      new Set(both.map(each => JSON.stringify(each))),
    )
    await call('RemovePodSandbox', bytesField(1, two))
    t.strictSame(await cri.sandboxes(signal), both.slice(0, 1))
  })

  await t.test('one that is away is an error, and no empty list', async t => {
    await machine.group.stop('containerd', 'SIGKILL')
    await t.rejects(cri.sandboxes(signal), { code: 'NoGrpcAnswer' })
    await t.rejects(cri.readySandbox('uid-1', signal), { code: 'NoGrpcAnswer' })
  })

  t.match(await clusterCommand(cluster.id, 'down'), { code: 0 })
  t.same(leftoversOf(cluster), [])
}

/** StatusResponse: status (1) with conditions (1), each with its type (1) and, where it is not met, the reason (3). */
function isNetworkReady(answer: ReturnType<typeof readFields>): boolean {
  const [status = Buffer.alloc(0)] = answer.get(1) ?? []
  const conditions = (readFields(status).get(1) ?? []).map(condition => readFields(condition))
  return conditions.some(fields => stringsOf(fields, 1)[0] === 'NetworkReady' && !stringsOf(fields, 3)[0])
}

/** PodSandboxConfig: metadata (1: name, uid, namespace), log folder (3), labels (6), and of Linux (8) the control group (1). */
function sandboxConfig(number: string, name: string, cgroup: string): Uint8Array {
  const uid = `uid-${number}`
  const metadata = [bytesField(1, name), bytesField(2, uid), bytesField(3, 'default')]
  const label = [bytesField(1, 'io.kubernetes.pod.uid'), bytesField(2, uid)]
  return Buffer.concat([
    bytesField(1, Buffer.concat(metadata)),
    bytesField(3, `/var/log/pods/${uid}`),
    bytesField(6, Buffer.concat(label)),
    bytesField(8, bytesField(1, `/${cgroup}`)),
  ])
}
