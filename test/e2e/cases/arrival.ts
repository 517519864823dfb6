import { join } from 'node:path'
import type { Test } from 'tap'
import { sendRequest } from '../../cluster/api-client.ts'
import { until } from '../../machine/wait.ts'
import type { Bed, Case } from '../bed.ts'
import {
  cutMesh,
  hideDefaultNetwork,
  isThere,
  mendMesh,
  ownFiles,
  showDefaultNetwork,
  wrappedNetwork,
} from '../host.ts'
import {
  createPod,
  eventsOf,
  readPod,
  readStanding,
  waitForEvent,
  waitForRunning,
  waitForVerified,
} from '../objects.ts'
import { agentOn, install, isReady, manifestFolder } from '../product.ts'

/** Asks for a network, so that it shows whether kactus was there when the pod landed. */
const onGreen = { networks: '[{"name": "green"}]' }
const greenLink = 'net9f27410725ab'
const waiting = (node: string) => `waiting-${node}`

/** Nopal comes to a cluster where one node has trouble: no default network yet, and no mesh. */
export const arrival: readonly Case[] = [
  { name: 'the manifests pass a server-side dry run, and leave nothing', run: tryManifests },
  { name: 'pods wait for a node to land on', run: createWaiting },
  { name: 'kubectl apply -k daemonset: the node whose network works is verified', run: verifyNear },
  { name: 'a pod that waited for the node has its interfaces', run: seeInterfaces },
  { name: 'a node without a default network: the agent waits and says so', run: waitForConf },
  { name: 'a default network that comes late is wrapped', run: wrapLate },
  { name: 'a node whose mesh is cut stays closed, and its condition says why', run: failFar },
  { name: 'with its mesh back it is verified', run: verifyFar },
  { name: 'taint and label have changed in one write, and never before the checks had passed', run: judgeHistory },
  { name: 'kubectl explain says what a Network is, kubectl get which plugin it has', run: explain },
]

async function tryManifests(t: Test, { cluster: { kubectl } }: Bed): Promise<void> {
  // What lies in a namespace can be tried only once that is there.
  await kubectl(['apply', '-f', join(manifestFolder, 'namespace.yaml')])
  const said = await kubectl(['--warnings-as-errors', 'apply', '-k', manifestFolder, '--dry-run=server'])
  t.match(said, 'daemonset.apps/nopal created (server dry run)')
  t.equal(await kubectl(['get', 'daemonsets', '-n', 'nopal', '-o', 'name']), '', 'nothing was kept')
}

async function createWaiting(t: Test, { cluster: { kubectl, admin }, nodes }: Bed): Promise<void> {
  await kubectl(['apply', '-f', join(manifestFolder, 'networks-crd.yaml')])
  await kubectl(['wait', '--for=condition=established', 'crd/networks.kaloom.com', '--timeout=30s'])
  const networks = ['green', 'blue'].flatMap(name => ['-f', join(manifestFolder, `examples/${name}-net.yaml`)])
  await kubectl(['--warnings-as-errors', 'apply', ...networks])
  for (const { name } of nodes) await createPod(admin, { name: waiting(name), node: name, annotations: onGreen })
  for (const { name } of nodes) t.match(await whyPending(admin, name), '2 node(s) had untolerated taint(s)')
}

function whyPending(admin: Bed['cluster']['admin'], node: string): Promise<string> {
  return until(
    `a reason why ${waiting(node)} waits`,
    async () => {
      const pod = await readPod(admin, waiting(node))
      return pod?.status.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False')?.message
    },
    { limitMs: 30_000, despiteErrors: true },
  )
}

async function verifyNear(t: Test, { cluster, near, far }: Bed): Promise<void> {
  await cutMesh(far.machine)
  await hideDefaultNetwork(far.machine)
  await install(cluster)
  const standing = await waitForVerified(cluster.admin, near.name)
  t.match(standing.condition, { reason: 'Verified', message: 'every check has passed' })
  await waitForAgent(cluster, near.name)
  t.equal(await wrappedNetwork(near.machine), 'e2e')
  t.equal((await waitForEvent(cluster.admin, near.name, 'TaintLifted')).length, 1)
}

function waitForAgent(cluster: Bed['cluster'], node: string): Promise<boolean> {
  return until(`the agent of ${node} ready`, async () => isReady(await agentOn(cluster, node)), {
    limitMs: 60_000,
    despiteErrors: true,
  })
}

async function seeInterfaces(t: Test, { cluster: { admin, kubectl }, near }: Bed): Promise<void> {
  await waitForRunning(admin, waiting(near.name))
  t.match(await kubectl(['exec', waiting(near.name), '--', 'ip', 'addr', 'show', greenLink]), /inet 192\.168\.42\./)
}

async function waitForConf(t: Test, { cluster, far }: Bed): Promise<void> {
  const agent = await until(
    'an agent that runs',
    async () => {
      const pod = await agentOn(cluster, far.name)
      return pod?.status.phase === 'Running' ? pod : undefined
    },
    { limitMs: 60_000, despiteErrors: true },
  )
  await until(
    'the agent to say that it waits',
    async () => {
      const log = await cluster.kubectl(['-n', 'nopal', 'logs', agent.metadata.name])
      return log.includes('net.d holds no default network')
    },
    { limitMs: 30_000, despiteErrors: true },
  )
  const why = /the CNI files are not in place: waiting: .*holds no default network/
  await until('it to say so to kubelet', async () => why.test(String(await readyz(cluster, agent.metadata.name))), {
    despiteErrors: true,
  })
  t.notOk(isReady(await agentOn(cluster, far.name)), 'not ready')
  for (const path of Object.values(ownFiles)) t.notOk(await isThere(far.machine, path), `${path} is not written`)
}

/** What keeps an agent from being ready, in its own words. */
async function readyz({ admin }: Bed['cluster'], agent: string): Promise<unknown> {
  const path = `/api/v1/namespaces/nopal/pods/${agent}:8080/proxy/readyz`
  const { body } = await sendRequest(admin, { method: 'GET', path })
  return body
}

async function wrapLate(t: Test, { cluster, far }: Bed): Promise<void> {
  await showDefaultNetwork(far.machine)
  const wrapped = await until('kactus on the node', () => wrappedNetwork(far.machine), {
    limitMs: 30_000,
    despiteErrors: true,
  })
  t.equal(wrapped, 'e2e')
  t.ok(await isThere(far.machine, ownFiles.binary))
  await waitForAgent(cluster, far.name)
}

async function failFar(t: Test, { cluster: { admin }, far }: Bed): Promise<void> {
  const standing = await until(
    'a verdict of the network that has come',
    async () => {
      const found = await readStanding(admin, far.name)
      // What was said of the node while it had no default network is not it.
      const isIt = found.condition?.status === 'False' && found.condition.reason === 'NoAnswer'
      return isIt ? found : Promise.reject(new Error(JSON.stringify(found)))
    },
    { limitMs: 60_000, despiteErrors: true },
  )
  t.match(standing, { tainted: true, label: undefined })
  t.match(standing.condition, { message: /dns: NoAnswer \(kubernetes\.default\..* @10\.96\.0\.10/ })
  const isTold = async () =>
    (await eventsOf(admin, far.name, 'NetworkFailed')).some(({ note }) => /NoAnswer/.test(note))
  await until('the Event', isTold, { despiteErrors: true })
  t.equal((await readPod(admin, waiting(far.name)))?.spec.nodeName, undefined, 'the pod still waits')
}

async function verifyFar(t: Test, { cluster: { admin }, far, history }: Bed): Promise<void> {
  const before = history.of(far.name)
  t.ok(
    before.every(sight => sight.tainted && sight.label === undefined),
    'closed until now',
  )
  await mendMesh(far.machine)
  await waitForVerified(admin, far.name)
  await waitForRunning(admin, waiting(far.name))
}

async function judgeHistory(t: Test, { nodes, history }: Bed): Promise<void> {
  for (const { name } of nodes) {
    const knows = () => history.of(name).at(-1)?.condition?.status === 'True'
    await until(`the history of ${name} to have come to this`, knows)
    const sights = history.of(name)
    const split = sights.filter(sight => sight.tainted !== (sight.label === undefined))
    t.same(split, [], `${name}: never labelled with the taint, never open without the label`)
    const openings = sights.filter((sight, at) => !sight.tainted && sights[at - 1]?.tainted === true)
    t.equal(openings.length, 1, `${name}: opened once`)
    const statuses = sights.map(sight => sight.condition?.status)
    const passed = statuses.indexOf('True')
    t.ok(passed >= sights.findIndex(sight => !sight.tainted), `${name}: the condition does not pass before it opens`)
    t.ok(
      statuses.slice(passed).every(status => status === 'True'),
      `${name}: and has passed ever since`,
    )
  }
}

async function explain(t: Test, { cluster: { kubectl } }: Bed): Promise<void> {
  const said = (await kubectl(['explain', 'network.spec'])).replace(/\s+/g, ' ')
  t.match(said, 'How pods are attached to the network.')
  t.match(said, /config <string> -required- CNI configuration handed to the plugin/)
  t.match(said, /plugin <string> File name of the CNI plugin that makes the interface/)
  t.match(await kubectl(['get', 'net']), /^NAME +PLUGIN +AGE\nblue +bridge +\d+\w*\ngreen +bridge /)
}
