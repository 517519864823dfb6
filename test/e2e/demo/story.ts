import { join } from 'node:path'
import { until } from '../../machine/wait.ts'
import type { Bed, BedNode } from '../bed.ts'
import { ownFiles, strayTraces, wrappedNetwork } from '../host.ts'
import { endPod, listPods, podManifest, readStanding, waitForRunning, waitForVerified } from '../objects.ts'
import { install, manifestFolder } from '../product.ts'
import type { TestCluster } from '../test-cluster.ts'

/** The interface name that a network's name stands for: net and the first 12 digits of its md5. */
const links = { green: 'net9f27410725ab', blue: 'net48d6215903df' } as const
const dns = ['-n', 'kube-system', 'scale', 'deployment/coredns']

/** The agents come, but names do not resolve: no pod may land. */
export async function failWithoutDns({ cluster, nodes }: Bed): Promise<string[]> {
  const { admin, kubectl } = cluster
  await kubectl([...dns, '--replicas=0'])
  await until(
    'the name server gone',
    async () => (await listPods(admin, 'kube-system', 'k8s-app=kube-dns')).length === 0,
    { limitMs: 60_000, despiteErrors: true },
  )
  await install(cluster)
  return await Promise.all(
    nodes.map(async ({ name }) => {
      const { tainted, condition } = await until(
        `a verdict of ${name}`,
        async () => {
          const standing = await readStanding(admin, name)
          return standing.condition?.status === 'False' ? standing : undefined
        },
        { limitMs: 60_000, despiteErrors: true },
      )
      if (!tainted) throw new Error(`${name} lost its taint although its checks fail`)
      return `${name}: tainted, ${condition?.reason}: ${condition?.message}`
    }),
  )
}

/** The name server is back: the agents see it, and open the nodes. */
export async function passWithDns({ cluster: { admin, kubectl }, nodes }: Bed): Promise<string[]> {
  await kubectl([...dns, '--replicas=1'])
  return await Promise.all(
    nodes.map(async ({ name }) => {
      const { label, condition } = await waitForVerified(admin, name)
      return `${name}: taint gone, label node-ready/verified=${label}, condition ${condition?.reason}`
    }),
  )
}

/** kactus is installed and asked first, with the node's own default network inside. */
export async function seeInstalled({ nodes }: Bed): Promise<string[]> {
  return await Promise.all(
    nodes.map(async ({ name, machine }) => {
      const what = `kactus on ${name}`
      const network = await until(what, () => wrappedNetwork(machine), { limitMs: 30_000, despiteErrors: true })
      return `${name}: ${ownFiles.binary}, ${ownFiles.conf} around network ${network}`
    }),
  )
}

/** The examples, and a third pod on the node where they are not. */
export async function startPods({ cluster: { admin, kubectl }, nodes }: Bed): Promise<string[]> {
  await kubectl(['apply', '-k', join(manifestFolder, 'examples')])
  for (const app of ['app1', 'app2']) await kubectl(['rollout', 'status', `deployment/${app}`, '--timeout=60s'])
  const [app1] = await listPods(admin, 'default', 'app=app1')
  const other: BedNode | undefined = nodes.find(({ name }) => name !== app1?.spec.nodeName)
  const annotations = { networks: '[{"name": "green"}, {"name": "blue"}]' }
  const app3 = podManifest({ name: 'app3', ...(other && { node: other.name }), annotations })
  await kubectl(['apply', '-f', '-'], JSON.stringify(app3))
  await waitForRunning(admin, 'app3')
  return linesOf(await kubectl(['get', 'pods', '-o', 'wide']))
}

export async function showInterfaces({ cluster: { kubectl } }: Bed): Promise<string[]> {
  const said = await kubectl(['exec', 'deploy/app1', '--', 'ip', 'addr'])
  const missing = ['eth0', ...Object.values(links)].filter(name => !said.includes(` ${name}@`))
  if (missing.length > 0) throw new Error(`app1 lacks ${missing.join(', ')}`)
  return linesOf(said)
}

/** A ping over one network between the pods of one node. */
export async function pingOver({ cluster: { kubectl } }: Bed, network: keyof typeof links): Promise<string[]> {
  const said = await kubectl(['exec', 'deploy/app2', '--', 'ip', '-o', '-4', 'addr', 'show', links[network]])
  const [, address = ''] = /inet ([\d.]+)/.exec(said) ?? []
  return await ping(kubectl, links[network], address)
}

/** A ping over the default network, from node to node through WireGuard. */
export async function pingAcross({ cluster: { admin, kubectl } }: Bed): Promise<string[]> {
  const { status } = await waitForRunning(admin, 'app3')
  return await ping(kubectl, 'eth0', status.podIP ?? '')
}

async function ping(kubectl: TestCluster['kubectl'], link: string, address: string): Promise<string[]> {
  const command = ['ping', '-c', '2', '-W', '5', '-I', link, address]
  const said = await kubectl(['exec', 'deploy/app1', '--', ...command])
  return linesOf(said).filter(line => line.includes('bytes from'))
}

export async function showNodes({ cluster: { kubectl } }: Bed): Promise<string[]> {
  const condition = '.status.conditions[?(@.type=="nopal.io/NetworkReady")]'
  const columns = [
    'NODE:.metadata.name',
    `NETWORK READY:${condition}.status`,
    `REASON:${condition}.reason`,
    'VERIFIED:.metadata.labels.node-ready/verified',
    'TAINTS:.spec.taints[*].key',
    'POD CIDR:.spec.podCIDR',
  ]
  return linesOf(await kubectl(['get', 'nodes', '-o', `custom-columns=${columns.join(',')}`]))
}

/** Ends the pods and looks for traces of them. */
export async function endPods({ admin, kubectl, nodes }: TestCluster): Promise<string[]> {
  // With their pods: a ReplicaSet that is still there would replace those that are deleted one by one.
  await kubectl(['delete', 'deployments', 'app1', 'app2', '--cascade=foreground'])
  const pods = await listPods(admin, 'default')
  await Promise.all(pods.map(pod => endPod(admin, pod.metadata.name)))
  for (const [name, machine] of nodes) {
    await until(
      `no trace of the pods on ${name}`,
      async () => {
        const strays = await strayTraces(machine)
        return strays.length === 0 ? true : Promise.reject(new Error(strays.join(', ')))
      },
      { limitMs: 30_000, despiteErrors: true },
    )
  }
  return []
}

function linesOf(text: string): string[] {
  return text.trimEnd().split('\n')
}
