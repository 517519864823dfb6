import type { Test } from 'tap'
import { readAudit } from '../../cluster/audit.ts'
import { chartFolder, renderChart, runHelm } from '../../cluster/helm.ts'
import type { Manifest } from '../../cluster/manifests.ts'
import { testTaint } from '../../lab/objects.ts'
import { until } from '../../machine/wait.ts'
import type { Bed, BedNode, Case } from '../bed.ts'
import { auditLog } from '../cluster/control-plane.ts'
import { confsOf, isThere, ownFiles, recordOf } from '../host.ts'
import { endPod, eventsOf, listPods, readPod, readStanding, startPod, waitForVerified } from '../objects.ts'
import { onBoth } from '../pods-on-networks.ts'
import { agentOn, manifestFolder, pidOf } from '../product.ts'
import { compareRights, formatRights, grantsOf } from '../rights.ts'

/** Nopal comes and goes by Helm. One node's agent is dead when it goes, the other's machine is silent. */
export const helm: readonly Case[] = [
  { name: 'helm install, over what kubectl has left: nodes are verified, pods have their networks', run: install },
  {
    name: 'helm uninstall: a node with a dead agent is as before, a silent one is named, no Node has a mark',
    run: uninstall,
  },
  { name: 'pods that kactus attached run on and end; others come and go', run: comeAndGo },
  { name: 'the hook had the rights it used, and nothing of nopal is left in the cluster', run: seeRights },
  { name: 'the silent node wakes up: it gets its default network back', run: wakeUp },
  { name: 'helm install once more: what pods have left that ended without kactus is given back', run: comeBack },
  {
    name: 'helm uninstall of nodes that all answer: none is left, Networks stay that are kept on purpose',
    run: goAgain,
  },
]

const greenLink = 'net9f27410725ab'
const networks = ['green', 'blue']
const running = (node: string) => `helm-${node}`

const values = {
  settings: { wireguard: { prevent: true } },
  // Within it kubelet gives up on the agent that does not end (30 s).
  uninstall: { withinSeconds: 75 },
}

async function callHelm({ cluster: { plan } }: Bed, words: readonly string[], given?: object): Promise<string> {
  const call = [...words, '--namespace', 'nopal', '--kubeconfig', plan.kubeconfig]
  const { code, stdout, stderr } = await runHelm(call, given)
  if (code !== 0) throw new Error(`helm ${words.join(' ')}: ${stdout}${stderr}`)
  return stdout + stderr
}

async function install(t: Test, bed: Bed): Promise<void> {
  const { cluster, nodes } = bed
  const { admin, kubectl } = cluster
  // Whoever has installed by kubectl before has objects that no release owns.
  const words = ['install', 'nopal', chartFolder, '--create-namespace', '--take-ownership']
  t.match(await callHelm(bed, words, values), 'STATUS: deployed')
  await kubectl(['wait', '--for=condition=established', 'crd/networks.kaloom.com', '--timeout=30s'])
  const files = networks.flatMap(name => ['-f', `${manifestFolder}/examples/${name}-net.yaml`])
  await kubectl(['apply', ...files])
  for (const { name, machine } of nodes) {
    await until(`kactus on ${name}`, async () => await isThere(machine, ownFiles.conf), {
      limitMs: 60_000,
      despiteErrors: true,
    })
    await waitForVerified(admin, name)
    const pod = await startPod(admin, { name: running(name), node: name, annotations: onBoth })
    t.equal((await recordOf(machine, pod.metadata.uid))?.attachments.length, 3, `${name}: attached to three networks`)
    await until(`the packet filter of ${name}`, async () => await hasFilter(machine), {
      limitMs: 30_000,
      despiteErrors: true,
    })
  }
}

async function hasFilter(machine: BedNode['machine']): Promise<boolean> {
  return (await machine.run(['nft', 'list', 'tables'])).includes('inet nopal_mesh')
}

/** Neither ends nor looks nor writes any more; what kubelet registers nodes with is on the Node again. */
async function stopAgent({ cluster }: Bed, { name, machine }: BedNode): Promise<void> {
  process.kill(await pidOf(machine, await agentOn(cluster, name)), 'SIGSTOP')
  await cluster.kubectl(['taint', 'node', name, `${testTaint.key}=${testTaint.value}:${testTaint.effect}`])
}

/** The far node's kubelet, and its agent, which is to go and cannot. */
async function pidsOf({ cluster: { admin } }: Bed, { name, machine }: BedNode): Promise<readonly number[]> {
  const agents = await listPods(admin, 'nopal', 'app.kubernetes.io/name=nopal')
  const agent = agents.find(pod => pod.spec.nodeName === name)
  return [await pidOf(machine, agent), machine.group.pidOf('kubelet')]
}

async function uninstall(t: Test, bed: Bed): Promise<void> {
  const { cluster, near, far } = bed
  const liftedBefore = (await eventsOf(cluster.admin, near.name, 'TaintLifted')).length
  for (const node of [near, far]) await stopAgent(bed, node)
  for (const pid of await pidsOf(bed, far)) process.kill(pid, 'SIGSTOP')
  // As an administrator does who knows of it: until the control plane does, a new pod may be sent there.
  await cluster.kubectl(['cordon', far.name])
  const said = await callHelm(bed, ['uninstall', 'nopal'])
  t.comment(said)
  t.match(said, `nopal is off 1 nodes: ${near.name}`)
  t.match(said, `LEFT ${far.name}: its kubelet does not say that the agent has ended`)
  for (const { name } of [near, far]) {
    const standing = await readStanding(cluster.admin, name)
    t.same(standing, { tainted: false, label: undefined, condition: undefined }, `${name} has no mark`)
  }
  const events = await eventsOf(cluster.admin, near.name, 'TaintLifted')
  t.ok(
    events.length > liftedBefore && events.some(({ note }) => note.includes('nobody else lifts')),
    'an Event says so',
  )
  await seeClean(t, near)
}

async function seeClean(t: Test, { name, machine }: BedNode): Promise<void> {
  t.same(await confsOf(machine), ['10-e2e.conflist'], `${name}: its own default network`)
  const folders = ['/etc/cni', '/opt/cni', '/var/lib/cni/results']
  t.equal(
    await machine.run(['find', ...folders, '-name', '*kactus*', '-o', '-name', '*nopal*']),
    '',
    `${name}: no file`,
  )
  t.notOk(await hasFilter(machine), `${name}: no packet filter`)
  t.equal(await machine.shell('grep -rl nopal-probe- /var/lib/cni || :'), '', `${name}: no sandbox`)
}

async function comeAndGo(t: Test, { cluster: { admin, kubectl }, near }: Bed): Promise<void> {
  const old = running(near.name)
  t.match(await kubectl(['exec', old, '--', 'ip', 'addr', 'show', greenLink]), 'inet 192.168.42.', 'all its interfaces')
  const pod = await startPod(admin, { name: 'helm-after', node: near.name, annotations: onBoth })
  t.equal(await recordOf(near.machine, pod.metadata.uid), undefined, 'without kactus')
  const address = (await readPod(admin, 'helm-after'))?.status.podIP ?? ''
  t.match(await kubectl(['exec', old, '--', 'ping', '-c', '1', '-W', '5', address]), ' 0% packet loss')
  await endPod(admin, old)
  await endPod(admin, 'helm-after')
}

async function seeRights(t: Test, { cluster: { admin, kubectl, plan }, far }: Bed): Promise<void> {
  const objects = await renderChart<Manifest>(values)
  const own = objects.filter(({ kind, metadata }) => /Role/.test(kind) && metadata.name === 'nopal-uninstall')
  const report = compareRights(grantsOf(own), await readAudit(auditLog(plan.machineFolder('cp'))))
  t.comment(formatRights(report))
  t.same(report.faults, [], 'nothing was refused')
  t.ok(report.grants.length > 10)
  for (const { verb, resource, names, uses } of report.grants) t.ok(uses > 0, `${verb} ${resource} ${names} is used`)
  const kinds = 'clusterroles,clusterrolebindings,crds,validatingadmissionpolicies,roles,rolebindings'
  t.equal(await kubectl(['get', kinds, '-A', '-l', 'app.kubernetes.io/part-of=nopal', '-o', 'name']), '')
  const inside = 'daemonsets,deployments,jobs,services,leases,configmaps,serviceaccounts,secrets'
  const left = (await kubectl(['-n', 'nopal', 'get', inside, '-o', 'name'])).trim().split('\n').sort()
  t.same(left, ['configmap/kube-root-ca.crt', 'serviceaccount/default'], 'what Kubernetes itself keeps there')
  // Those of the hook itself go a moment after it.
  const nodesWithPods = async () => [...new Set((await listPods(admin, 'nopal')).map(pod => pod.spec.nodeName))]
  await until(
    'no pods but those that only the silent node can end',
    async () => {
      const found = await nodesWithPods()
      return found.join() === far.name || Promise.reject(new Error(`there are pods on ${found.join()}`))
    },
    { despiteErrors: true },
  )
}

async function wakeUp(t: Test, bed: Bed): Promise<void> {
  const { far } = bed
  const { admin, kubectl } = bed.cluster
  for (const pid of await pidsOf(bed, far)) process.kill(pid, 'SIGCONT')
  await until(`pods of nopal gone from ${far.name}`, async () => (await listPods(admin, 'nopal')).length === 0, {
    limitMs: 90_000,
    despiteErrors: true,
  })
  t.same(await confsOf(far.machine), ['10-e2e.conflist'], 'its own default network')
  t.notOk(await hasFilter(far.machine), 'no packet filter')
  await kubectl(['uncordon', far.name])
  t.match(await readStanding(admin, far.name), { tainted: false, label: undefined, condition: undefined })
  await startPod(admin, { name: 'helm-woken', node: far.name })
  await endPod(admin, 'helm-woken')
  await endPod(admin, running(far.name))
}

/** Of the networks green and blue, which nobody has any more. */
async function furtherAddresses({ machine }: BedNode): Promise<string> {
  return machine.run(['find', ...networks.map(name => `/var/lib/cni/networks/${name}`), '-name', '192.168.*'])
}

async function comeBack(t: Test, bed: Bed): Promise<void> {
  const { cluster, near, nodes } = bed
  t.not(await furtherAddresses(near), '', 'addresses are taken')
  const given = { settings: { podagent: { sweep: '3s' } }, crds: { keep: true } }
  t.match(await callHelm(bed, ['install', 'nopal', chartFolder], given), 'STATUS: deployed')
  await cluster.kubectl(['wait', '--for=condition=established', 'crd/networks.kaloom.com', '--timeout=30s'])
  await cluster.kubectl(['apply', '-f', `${manifestFolder}/examples/green-net.yaml`])
  for (const { name } of nodes) await waitForVerified(cluster.admin, name)
  // kubelet takes up to a minute to remove the sandbox of a pod that has ended.
  await until('the addresses given back', async () => (await furtherAddresses(near)) === '', {
    limitMs: 120_000,
    despiteErrors: true,
  })
}

async function goAgain(t: Test, bed: Bed): Promise<void> {
  const { cluster, near, nodes } = bed
  const said = await callHelm(bed, ['uninstall', 'nopal'])
  t.match(said, 'nopal is off 2 nodes: n1, n2')
  t.notMatch(said, 'LEFT')
  for (const node of nodes) await seeClean(t, node)
  t.notOk(await isThere(near.machine, '/var/lib/cni/kactus'), 'no record either')
  t.match(await cluster.kubectl(['get', 'networks', '-o', 'name']), 'network.kaloom.com/green')
  await cluster.kubectl(['delete', 'crd', '-l', 'app.kubernetes.io/part-of=nopal', '--timeout=60s'])
  await cluster.kubectl(['delete', 'namespace', 'nopal', '--timeout=60s'])
}
