import { join } from 'node:path'
import type { Test } from 'tap'
import { CommandFailed } from '../../machine/command.ts'
import { cablesOf } from '../../machine/segment.ts'
import { until } from '../../machine/wait.ts'
import type { Bed, BedNode, Case } from '../bed.ts'
import { addressesOf, olderSandboxes, recordOf, strayTraces } from '../host.ts'
import { createPod, endPod, eventsOf, listPods, type Pod, readPod, startPod, waitForRunning } from '../objects.ts'
import { manifestFolder } from '../product.ts'

const links = { green: 'net9f27410725ab', blue: 'net48d6215903df' } as const
const attachmentsCrd = join(import.meta.dirname, '../../cluster/crds/network-attachment-definitions-crd.yaml')

/** Pods get their networks, and leave nothing behind. */
export const networks: readonly Case[] = [
  { name: 'kubelet calls kactus for ordinary pods, and they reach each other over the mesh', run: startOrdinary },
  { name: 'app1 and app2 have green and blue by their names', run: startExamples },
  { name: 'app1 reaches app2 over green and over blue', run: pingOverEach },
  { name: 'a pod gets the MAC address it asks for', run: askForMac },
  { name: 'a pod of multus users gets its NetworkAttachmentDefinition', run: attachForeign },
  { name: 'a Network with broken config is refused with what is wrong', run: refuseBroken },
  { name: 'a pod whose network is missing says so in its event, and starts when it comes', run: failMissing },
  { name: 'a pod whose plugin the node lacks says so in its event', run: failWithoutPlugin },
  { name: 'a broken config that no schema can see is named in the event of the pod', run: failBroken },
  { name: 'pods deleted: no address, interface or record is left', run: endAll },
]

const ordinary = (node: BedNode) => `ordinary-${node.name}`

async function startOrdinary(t: Test, { cluster: { admin, kubectl }, nodes }: Bed): Promise<void> {
  const pods = await Promise.all(nodes.map(node => startPod(admin, { name: ordinary(node), node: node.name })))
  for (const [at, pod] of pods.entries()) {
    const record = await recordOf(nodes[at]?.machine ?? nodes[0].machine, pod.metadata.uid)
    t.match(record?.attachments, [{ ifname: 'eth0', list: { name: 'e2e' }, status: 'added' }])
    t.equal(record?.attachments.length, 1)
    const other = pods[1 - at]?.status.podIP ?? ''
    t.match(await kubectl(['exec', pod.metadata.name, '--', 'ping', '-c', '1', '-W', '5', other]), ' 0% packet loss')
  }
}

async function startExamples(t: Test, { cluster: { admin, kubectl } }: Bed): Promise<void> {
  await kubectl(['--warnings-as-errors', 'apply', '-k', join(manifestFolder, 'examples')])
  for (const app of ['app1', 'app2']) await kubectl(['rollout', 'status', `deployment/${app}`, '--timeout=60s'])
  for (const app of ['app1', 'app2']) {
    const pod = await podOf(admin, app)
    const said = await kubectl(['exec', pod.metadata.name, '--', 'ip', '-o', 'addr'])
    t.match(said, / eth0 +inet 10\.42\./)
    t.match(said, new RegExp(` ${links.green} +inet 192\\.168\\.42\\.`))
    t.match(said, new RegExp(` ${links.blue} +inet 192\\.168\\.43\\.`))
  }
}

async function podOf(admin: Bed['cluster']['admin'], app: string): Promise<Pod> {
  const [pod] = await listPods(admin, 'default', `app=${app}`)
  if (pod === undefined) throw new Error(`there is no pod of ${app}`)
  return pod
}

async function pingOverEach(t: Test, { cluster: { admin, kubectl } }: Bed): Promise<void> {
  const [app1, app2] = [await podOf(admin, 'app1'), await podOf(admin, 'app2')]
  t.equal(app1.spec.nodeName, app2.spec.nodeName, 'on one node, as the networks are bridges')
  for (const link of Object.values(links)) {
    const said = await kubectl(['exec', app2.metadata.name, '--', 'ip', '-o', '-4', 'addr', 'show', link])
    const [, address = ''] = /inet ([\d.]+)/.exec(said) ?? []
    const ping = ['ping', '-c', '1', '-W', '5', '-I', link, address]
    t.match(await kubectl(['exec', app1.metadata.name, '--', ...ping]), ' 0% packet loss', link)
  }
}

async function askForMac(t: Test, { cluster: { admin, kubectl }, near }: Bed): Promise<void> {
  const annotations = { networks: '[{"name": "green", "ifMac": "02:00:00:00:00:2A"}, {"name": "blue"}]' }
  await startPod(admin, { name: 'mac', node: near.name, annotations })
  const read = async (link: string) =>
    (await kubectl(['exec', 'mac', '--', 'cat', `/sys/class/net/${link}/address`])).trim()
  t.equal(await read(links.green), '02:00:00:00:00:2a')
  t.not(await read(links.blue), '02:00:00:00:00:2a', 'and no other interface')
  t.not(await read('eth0'), '02:00:00:00:00:2a')
}

async function attachForeign(t: Test, { cluster: { admin, kubectl }, far }: Bed): Promise<void> {
  await kubectl(['apply', '-f', attachmentsCrd])
  await kubectl(['wait', '--for=condition=established', '-f', attachmentsCrd, '--timeout=30s'])
  const ipam = { type: 'host-local', subnet: '192.168.44.0/24' }
  await kubectl(
    ['apply', '-f', '-'],
    JSON.stringify({
      apiVersion: 'k8s.cni.cncf.io/v1',
      kind: 'NetworkAttachmentDefinition',
      metadata: { name: 'red' },
      spec: { config: JSON.stringify({ cniVersion: '1.0.0', type: 'bridge', bridge: 'red0', ipam }) },
    }),
  )
  await startPod(admin, { name: 'red', node: far.name, annotations: { 'k8s.v1.cni.cncf.io/networks': 'red' } })
  t.match(await kubectl(['exec', 'red', '--', 'ip', '-o', '-4', 'addr']), /inet 192\.168\.44\./)
}

interface BrokenNetwork {
  readonly name: string
  readonly spec: object
  /** What the user reads. */
  readonly sentence: string
}

const brokenNetworks: readonly BrokenNetwork[] = [
  {
    name: 'a comma too many',
    spec: { plugin: 'bridge', config: '{"bridge": "x0",}' },
    sentence: 'config is not valid JSON',
  },
  {
    name: 'no plugin',
    spec: { config: '{}' },
    sentence: 'plugin is missing: name the CNI plugin to run, such as bridge',
  },
  { name: 'a path', spec: { plugin: '../bridge', config: '{}' }, sentence: 'plugin must be the bare file name' },
]

async function refuseBroken(t: Test, { cluster: { kubectl } }: Bed): Promise<void> {
  for (const { name, spec, sentence } of brokenNetworks) {
    const network = { apiVersion: 'kaloom.com/v1', kind: 'Network', metadata: { name: 'broken' }, spec }
    const said = await kubectl(['apply', '-f', '-'], JSON.stringify(network)).catch(error =>
      error instanceof CommandFailed ? error.output.stderr : Promise.reject(error),
    )
    t.match(said, sentence, name)
  }
  t.equal(await kubectl(['get', 'networks', '-o', 'name', '--field-selector=metadata.name=broken']), '')
}

async function failMissing(t: Test, { cluster: { admin, kubectl }, near }: Bed): Promise<void> {
  await createPod(admin, { name: 'lost', node: near.name, annotations: { networks: '[{"name": "yellow"}]' } })
  t.match(await whyNotStarted(admin, 'lost'), 'there is no Network yellow in namespace default')
  await kubectl(['apply', '-f', '-'], JSON.stringify(bridgeNetwork('yellow', 'bridge')))
  await waitForRunning(admin, 'lost')
  t.match(await kubectl(['exec', 'lost', '--', 'ip', '-o', '-4', 'addr']), /inet 192\.168\.45\./)
}

async function failWithoutPlugin(t: Test, { cluster: { admin, kubectl }, near }: Bed): Promise<void> {
  await kubectl(['apply', '-f', '-'], JSON.stringify(bridgeNetwork('pink', 'no-such-plugin')))
  await createPod(admin, { name: 'unplugged', node: near.name, annotations: { networks: '[{"name": "pink"}]' } })
  t.match(await whyNotStarted(admin, 'unplugged'), /no-such-plugin.*network default\/pink/)
  t.equal((await readPod(admin, 'unplugged'))?.status.phase, 'Pending')
}

interface HiddenFault {
  readonly network: string
  readonly config: string
  /** What the user reads. */
  readonly sentence: RegExp
}

/** Rules of a schema know neither the plugin's keys nor which bracket closes which. */
const hiddenFaults: readonly HiddenFault[] = [
  { network: 'crossed', config: '{"a": [1}, "b": {"c": 2]}', sentence: /Network default\/crossed: .*JSON/ },
  {
    network: 'astray',
    config: '{"bridge": "astray-much-too-long", "ipam": {"type": "host-local", "subnet": "192.168.46.0/24"}}',
    sentence: /astray-much-too-long.*network default\/astray/,
  },
]

async function failBroken(t: Test, { cluster: { admin, kubectl }, near }: Bed): Promise<void> {
  for (const { network, config, sentence } of hiddenFaults) {
    const object = { apiVersion: 'kaloom.com/v1', kind: 'Network', metadata: { name: network } }
    await kubectl(['apply', '-f', '-'], JSON.stringify({ ...object, spec: { plugin: 'bridge', config } }))
    await createPod(admin, { name: network, node: near.name, annotations: { networks: `[{"name": "${network}"}]` } })
    const said = await whyNotStarted(admin, network)
    t.comment(said)
    t.match(said, sentence)
  }
}

function bridgeNetwork(name: string, plugin: string): object {
  const config = { bridge: `${name}0`, ipam: { type: 'host-local', subnet: '192.168.45.0/24' } }
  return {
    apiVersion: 'kaloom.com/v1',
    kind: 'Network',
    metadata: { name },
    spec: { plugin, config: JSON.stringify(config) },
  }
}

/** kubelet's event carries what kactus said. */
function whyNotStarted(admin: Bed['cluster']['admin'], pod: string): Promise<string> {
  return until(
    `an event that says why ${pod} does not start`,
    async () => {
      const [event] = await eventsOf(admin, pod, 'FailedCreatePodSandBox')
      return event?.note
    },
    { limitMs: 30_000, despiteErrors: true },
  )
}

/** The pods that waited stay, for the cases that come. */
const stays = (pod: Pod) => pod.metadata.name.startsWith('waiting-')

async function endAll(t: Test, { cluster: { admin, kubectl }, nodes }: Bed): Promise<void> {
  t.ok((await listPods(admin, 'default')).length >= 9, 'there are pods to end')
  // With their pods: a ReplicaSet that is still there would replace those that are deleted one by one.
  await kubectl(['delete', 'deployments', 'app1', 'app2', '--cascade=foreground'])
  const ending = (await listPods(admin, 'default')).filter(pod => !stays(pod))
  await Promise.all(ending.map(pod => endPod(admin, pod.metadata.name)))
  const staying = await listPods(admin, 'default')
  t.equal(staying.length, nodes.length)
  for (const { name, machine } of nodes) {
    const strays = await until(
      `traces of ended pods gone from ${name}`,
      async () => {
        const found = await strayTraces(machine)
        return found.length === 0 ? found : Promise.reject(new Error(found.join(', ')))
      },
      { limitMs: 30_000, despiteErrors: true },
    )
    t.same(strays, [], `${name}: every address, record and result is of a container that lives`)
    const attached = await Promise.all(staying.map(pod => recordOf(machine, pod.metadata.uid)))
    const links = attached.reduce((sum, record) => sum + (record?.attachments.length ?? 0), 0)
    const older = (await olderSandboxes(machine)).length
    const standing = 1
    const all = links + older + standing
    const wanted = { cables: all, addresses: all }
    // The agent's own probes come and go.
    const found = await until(
      `only cables and addresses of pods and of the standing sandbox on ${name}`,
      async () => {
        const now = { cables: (await cablesOf(machine)).length, addresses: (await addressesOf(machine)).length }
        return now.cables === wanted.cables && now.addresses === wanted.addresses ? now : undefined
      },
      { limitMs: 30_000, despiteErrors: true },
    )
    t.same(found, wanted, `${name}: every cable is of a pod that runs or of the standing sandbox, and every address`)
  }
}
