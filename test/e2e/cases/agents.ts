import { readFile, rename, writeFile } from 'node:fs/promises'
import type { Test } from 'tap'
import { readAudit } from '../../cluster/audit.ts'
import type { Machine } from '../../machine/machine.ts'
import { until } from '../../machine/wait.ts'
import type { Bed, Case } from '../bed.ts'
import { getObject } from '../cluster/api.ts'
import { auditLog } from '../cluster/control-plane.ts'
import { kubeletConfigFile } from '../cluster/node.ts'
import { ownFiles, printFolders, recordOf } from '../host.ts'
import {
  closeNode,
  createPod,
  endPod,
  eventsBecause,
  eventsOf,
  startPod,
  waitForRunning,
  waitForVerified,
} from '../objects.ts'
import { comeAndGo, onBoth } from '../pods-on-networks.ts'
import { agentOn, isReady, pidOf } from '../product.ts'

/** Agents die, are told to look again, and are replaced. */
export const agents: readonly Case[] = [
  { name: 'while the agents answer, kactus asks nothing of the API', run: askAgents },
  { name: 'an agent killed with kill -9 comes back, and no CNI file, record or pod notices', run: killAgent },
  { name: 'an agent that hangs: pods start with their networks and end', run: hangAgent },
  { name: 'a node that is closed by hand is verified again, and repeats are counted on one Event', run: closeByHand },
  { name: 'a NodeNetwork that somebody has changed says again what its node says', run: changeNetwork },
  { name: 'a kubelet that names no name server: the cluster has a Service for it', run: hideNameServer },
  { name: 'a rolling update of the DaemonSet while pods come and go: every pod starts', run: updateWhileBusy },
]

/** Everything of the CNI but kactus' kubeconfig: a new agent brings a new token. */
const cniFolders = [
  '/var/lib/cni',
  '/opt/cni/bin',
  '/etc/cni/net.d/05-kactus.conflist',
  '/etc/cni/net.d/10-e2e.conflist',
]

async function askAgents(t: Test, { cluster: { admin, plan }, nodes }: Bed): Promise<void> {
  const asked = async () => {
    const lines = await readAudit(auditLog(plan.machineFolder('cp')))
    return lines.filter(({ userAgent }) => userAgent === 'kactus').map(({ path }) => path)
  }
  for (const { name: node } of nodes) {
    let count = 0
    const isQuiet = async () => {
      const name = `asks-${node}-${++count}`
      const before = await asked()
      await startPod(admin, { name, node, annotations: onBoth })
      const asks = (await asked()).slice(before.length)
      await endPod(admin, name)
      return asks.length === 0 || Promise.reject(new Error(asks.join(', ')))
    }
    // One that is late by a quarter of a second has not answered, which happens on a busy machine: then once more.
    await until(`a pod on ${node} that costs the API nothing`, isQuiet, { limitMs: 180_000, despiteErrors: true })
    t.comment(`${node}: pod ${count} cost the API nothing`)
  }
}

async function killAgent(t: Test, bed: Bed): Promise<void> {
  const { cluster, near, history } = bed
  const agent = await agentOn(cluster, near.name)
  const before = await printAtRest(near.machine)
  const restartsOf = (pod: typeof agent) => pod?.status.containerStatuses?.[0]?.restartCount ?? 0
  const seen = history.of(near.name).length
  process.kill(await pidOf(near.machine, agent), 'SIGKILL')
  await until(
    'the agent back and ready',
    async () => {
      const pod = await agentOn(cluster, near.name)
      return pod?.metadata.uid === agent?.metadata.uid && restartsOf(pod) > restartsOf(agent) && isReady(pod)
    },
    { limitMs: 60_000, despiteErrors: true },
  )
  t.same(await printAtRest(near.machine), before, 'nothing was written')
  const since = history.of(near.name).slice(seen)
  t.notOk(
    since.some(sight => sight.tainted || sight.condition?.status !== 'True'),
    'the node stayed open',
  )
}

/** But for what the agent's own sandboxes hold: those of its probes come and go, and the standing one goes with its agent. */
function printAtRest(machine: Machine): Promise<readonly string[]> {
  return until(
    'a moment at rest',
    async () => {
      const lines = await printFolders(machine, cniFolders)
      const own = await machine.shell('grep -rl nopal-probe- /var/lib/cni || :')
      if (String(await printFolders(machine, cniFolders)) !== String(lines)) return undefined
      const isOwn = (path: string) => path.includes('nopal-probe-') || own.split('\n').includes(path)
      return lines.filter(line => !line.includes('/last_reserved_ip') && !isOwn(line.split(' ')[0] ?? ''))
    },
    { limitMs: 30_000, despiteErrors: true },
  )
}

async function hangAgent(t: Test, { cluster, near }: Bed): Promise<void> {
  const { admin } = cluster
  const pid = await pidOf(near.machine, await agentOn(cluster, near.name))
  process.kill(pid, 'SIGSTOP')
  try {
    await createPod(admin, { name: 'alone', node: near.name, annotations: onBoth })
    const pod = await waitForRunning(admin, 'alone')
    t.equal((await recordOf(near.machine, pod.metadata.uid))?.attachments.length, 3)
    await endPod(admin, 'alone')
    t.equal(await recordOf(near.machine, pod.metadata.uid), undefined)
    // kactus goes to the API for every kind of network, which is what it has rights for.
    await startPod(admin, { name: 'alone-red', node: near.name, annotations: { 'k8s.v1.cni.cncf.io/networks': 'red' } })
    await endPod(admin, 'alone-red')
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}

async function closeByHand(t: Test, { cluster: { admin }, far }: Bed): Promise<void> {
  const lifts = async () => await eventsOf(admin, far.name, 'TaintLifted')
  const [first] = await lifts()
  await closeNode(admin, far.name)
  await waitForVerified(admin, far.name)
  const [again] = await until(
    'the repeat on the Event',
    async () => {
      const events = await lifts()
      return events.some(event => event.series?.count === 2) ? events : undefined
    },
    { limitMs: 30_000, despiteErrors: true },
  )
  t.equal(again?.metadata.name, first?.metadata.name, 'the same Event')
}

async function changeNetwork(t: Test, { cluster: { admin, kubectl }, near }: Bed): Promise<void> {
  const path = `/apis/nopal.io/v1alpha1/nodenetworks/${near.name}`
  const specOf = async () => (await getObject<{ readonly spec: object }>(admin, path))?.spec
  const before = await specOf()
  t.ok(before, 'its agent has published it')
  await kubectl(['patch', 'nodenetwork', near.name, '--type=merge', '-p', '{"spec":{"podCIDRs":["192.0.2.0/24"]}}'])
  const wanted = JSON.stringify(before)
  await until('the spec as it was', async () => JSON.stringify(await specOf()) === wanted, {
    limitMs: 30_000,
    despiteErrors: true,
  })
}

/** As in a cluster whose DNS has another name, where kubelet gives pods the node's own servers. */
async function hideNameServer(t: Test, bed: Bed): Promise<void> {
  const { admin, kubectl, plan } = bed.cluster
  const asked = async () => {
    const lines = await readAudit(auditLog(plan.machineFolder('cp')))
    const ofAgents = lines.filter(({ user, verb }) => user === 'system:serviceaccount:nopal:nopal' && verb === 'list')
    return ofAgents.filter(({ path }) => path === '/api/v1/namespaces/kube-system/services').length
  }
  const files = bed.nodes.map(({ machine }) => kubeletConfigFile(machine))
  const whole = await Promise.all(files.map(file => readFile(file, 'utf8')))
  const before = await asked()
  try {
    // kubelet itself has read it long since. Of both nodes: a container is not told which of this machine's kubelets is its own.
    for (const [at, file] of files.entries()) {
      const { clusterDNS, ...rest } = JSON.parse(whole[at] ?? '')
      t.ok(clusterDNS.length > 0, 'kubelet names one until now')
      await replaceFile(file, JSON.stringify(rest))
    }
    await renameService(kubectl, 'kube-dns', 'other-dns')
    const agent = await agentOn(bed.cluster, bed.far.name)
    await kubectl(['-n', 'nopal', 'delete', 'pod', agent?.metadata.name ?? '', '--wait'])
    await until('the API to be asked for it', async () => (await asked()) > before, {
      limitMs: 60_000,
      despiteErrors: true,
    })
    await closeNode(admin, bed.far.name)
    await waitForVerified(admin, bed.far.name)
  } finally {
    for (const [at, file] of files.entries()) await replaceFile(file, whole[at] ?? '')
    await renameService(kubectl, 'other-dns', 'kube-dns')
  }
}

/** With the address that it has. */
async function renameService(kubectl: Bed['cluster']['kubectl'], from: string, to: string): Promise<void> {
  const inSystem = ['-n', 'kube-system']
  const { metadata, spec } = JSON.parse(await kubectl([...inSystem, 'get', 'service', from, '-o', 'json']))
  await kubectl([...inSystem, 'delete', 'service', from])
  const renamed = { apiVersion: 'v1', kind: 'Service', metadata: { name: to, labels: metadata.labels }, spec }
  await kubectl([...inSystem, 'apply', '-f', '-'], JSON.stringify(renamed))
}

async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}

async function updateWhileBusy(t: Test, { cluster, nodes }: Bed): Promise<void> {
  const { admin, kubectl } = cluster
  const failedBefore = (await eventsBecause(admin, 'FailedCreatePodSandBox')).length
  const old = await Promise.all(nodes.map(({ name }) => agentOn(cluster, name)))
  const confs = () => Promise.all(nodes.map(({ machine }) => printFolders(machine, [ownFiles.conf])))
  const before = await confs()
  let updating = true
  const starts = nodes.flatMap(node => [0, 1].map(lane => comeAndGo(admin, { node, lane, more: () => updating })))
  try {
    await kubectl(['-n', 'nopal', 'rollout', 'restart', 'daemonset/nopal'])
    await kubectl(['-n', 'nopal', 'rollout', 'status', 'daemonset/nopal', '--timeout=110s'])
  } finally {
    updating = false
  }
  const count = (await Promise.all(starts)).reduce((sum, each) => sum + each, 0)
  t.comment(`${count} pods came and went`)
  t.same(await confs(), before, 'agents that are replaced leave the conf alone')
  for (const [at, { name }] of nodes.entries()) {
    t.not((await agentOn(cluster, name))?.metadata.uid, old[at]?.metadata.uid, `a new agent on ${name}`)
    await waitForVerified(admin, name)
  }
  t.equal((await eventsBecause(admin, 'FailedCreatePodSandBox')).length, failedBefore, 'no start has failed')
  t.same(await eventsBecause(admin, 'FailedKillPod'), [], 'and no end')
}
