import { readFileSync } from 'node:fs'
import { until } from '../../machine/wait.ts'
import { defaultSettings } from '../agent.ts'
import { rememberedOf } from '../attachments.ts'
import type { Lab } from '../lab.ts'
import type { LabNode } from '../node.ts'
import { hasTestTaint, networkCondition, readNode, testTaint, verifiedLabel } from '../objects.ts'
import type { LabPod } from '../pods.ts'
import { firstConfName } from '../runtime.ts'

/** The interface name that a network's name stands for: net and the first 12 digits of its md5. */
const interfaces = { green: 'net9f27410725ab', blue: 'net48d6215903df' } as const

/** Endpoints that leak are put right, too. */
const settings = `${defaultSettings}[wireguard]\nheal = heal\n`

/** Where the parts of the lab are. */
export function describeNodes(lab: Lab): string[] {
  return lab.nodes.map(({ name, plan }) =>
    [`${name}: internet ${plan.publicAddress}`, `mesh ${plan.meshAddress}`, `pods ${plan.podCidr}`].join(', '),
  )
}

/** The agents run, but names do not resolve: no pod may land. */
export async function failWithoutDns(lab: Lab): Promise<string[]> {
  await lab.dns.stop()
  const agents = await Promise.all(lab.nodes.map(node => lab.startAgent(node, { settings })))
  return await Promise.all(
    lab.nodes.map(async ({ name }) => {
      const node = await until(`a verdict of ${name}`, async () => {
        const ended = agents.find(agent => !agent.running)
        if (ended !== undefined) throw new Error(`${ended.name} ended: ${ended.log()}`)
        const current = await readNode(lab.api, name)
        return networkCondition(current)?.status === 'False' && current
      })
      if (!hasTestTaint(node)) throw new Error(`${name} lost its taint although its checks fail`)
      const condition = networkCondition(node)
      return `${name}: tainted, ${condition?.reason}: ${condition?.message}`
    }),
  )
}

/** The name server is back: the agents see it, and open the nodes. */
export async function passWithDns(lab: Lab): Promise<string[]> {
  await lab.dns.start()
  return await Promise.all(
    lab.nodes.map(async ({ name }) => {
      const node = await until(
        `${name} to be verified`,
        async () => {
          const current = await readNode(lab.api, name)
          return networkCondition(current)?.status === 'True' && !hasTestTaint(current) && current
        },
        { limitMs: 60_000 },
      )
      const label = `${verifiedLabel}=${node.metadata.labels?.[verifiedLabel]}`
      return `${name}: taint ${testTaint.key} gone, label ${label}, condition ${networkCondition(node)?.reason}`
    }),
  )
}

/** kactus is installed and asked first, with the node's own default network inside. */
export async function seeInstalled(lab: Lab): Promise<string[]> {
  return await Promise.all(
    lab.nodes.map(async node => {
      const conf = await until(`kactus on ${node.name}`, () => kactusConf(node))
      return `${node.name}: /opt/cni/bin/kactus, /etc/cni/net.d/05-kactus.conflist around network ${conf}`
    }),
  )
}

/** The name of the default network inside kactus' conf, once that conf is the first one. */
function kactusConf(node: LabNode): string | undefined {
  if (firstConfName(node) !== '05-kactus.conflist') return undefined
  const text = readFileSync(node.path('/etc/cni/net.d/05-kactus.conflist'), 'utf8')
  const list = JSON.parse(text) as { plugins: { delegates: { name: string }[] }[] }
  return list.plugins[0]?.delegates[0]?.name
}

/** A ping over one network between two pods. */
export async function pingOver(network: keyof typeof interfaces, from: LabPod, to: LabPod): Promise<string[]> {
  return await ping(from, await to.address(interfaces[network]), interfaces[network])
}

/** A ping over the default network, from node to node through WireGuard. */
export async function pingAcross(from: LabPod, to: LabPod): Promise<string[]> {
  return await ping(from, await to.address('eth0'), 'eth0')
}

async function ping(from: LabPod, address: string, link: string): Promise<string[]> {
  const said = await from.run(['ping', '-c', '2', '-i', '0.2', '-W', '5', '-I', link, address])
  return said.split('\n').filter(line => line.includes('bytes from'))
}

/** What the kernel says about a pod's interfaces, line for line. */
export async function showInterfaces(pod: LabPod): Promise<string[]> {
  const wanted = ['eth0', ...Object.values(interfaces)]
  const found = (await pod.interfaces()).map(link => link.name)
  const missing = wanted.filter(name => !found.includes(name))
  if (missing.length > 0) throw new Error(`pod ${pod.name} lacks ${missing.join(', ')}`)
  return (await pod.run(['ip', 'addr'])).trimEnd().split('\n')
}

/** Both nodes as the API server shows them to everybody. */
export async function showNodes(lab: Lab): Promise<string[]> {
  const rows = await Promise.all(
    lab.nodes.map(async ({ name, plan }) => {
      const node = await readNode(lab.api, name)
      const condition = networkCondition(node)
      const taints = (node.spec.taints ?? []).map(taint => `${taint.key}:${taint.effect}`).join(',') || 'none'
      const verified = node.metadata.labels?.[verifiedLabel] ?? 'no'
      return [name, `${condition?.status} (${condition?.reason})`, verified, taints, plan.podCidr]
    }),
  )
  return table([['NODE', 'NETWORK READY', 'VERIFIED', 'TAINTS', 'POD CIDR'], ...rows])
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** Ends a pod and looks for traces of it. */
export async function endPod(pod: LabPod): Promise<string[]> {
  await pod.detach()
  const links = (await pod.interfaces()).map(link => link.name)
  const remembered = await rememberedOf(pod.node, pod.sandbox.containerId)
  const left = [...links, ...remembered]
  if (left.length > 0) throw new Error(`pod ${pod.name} left ${left.join(', ')}`)
  await pod.stop()
  return []
}
