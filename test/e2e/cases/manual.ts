import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { findKubeAssets } from '../../cluster/assets.ts'
import { runCommand } from '../../machine/command.ts'
import { until } from '../../machine/wait.ts'
import type { Bed, Case } from '../bed.ts'
import { getObject } from '../cluster/api.ts'
import type { Pod } from '../objects.ts'

/** What the manual says. */
export const manual: readonly Case[] = [{ name: 'what README says to look at is there', run: lookAsReadme }]

/** What the manifests say. A sandbox that cannot be given back is left to the next start of an agent, so that has to follow. */
export const capabilities: readonly Case[] = [
  { name: "each capability of the agent is needed for the pods' path", run: takeCapabilities },
]

const root = join(import.meta.dirname, '../../..')

async function lookAsReadme(t: Test, { cluster: { plan }, nodes }: Bed): Promise<void> {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const [, block = ''] = /\nLook:\n\n```sh\n(.*?)```/s.exec(readme) ?? []
  const commands = block.trim().split('\n')
  t.ok(commands.length >= 5, 'it says something')
  const env = { PATH: `${await findKubeAssets(['kubectl'])}:/usr/bin:/bin`, KUBECONFIG: plan.kubeconfig }
  // One that has no end is a fault, not a test without one.
  const bounded = (command: string) => ['timeout', '50', 'sh', '-c', `cd "$0" && ${command}`, root]
  const look = async () => {
    const said: string[] = []
    for (const command of commands) said.push(await runCommand(bounded(command), { env }))
    const [agents = '', labels = '', conditions = '', status = '', leader = ''] = said
    return { agents, labels, conditions, status, leader }
  }
  // The node that was first had nobody to ask at first.
  const isWell = (status: string) => /^n\d {2}✓ Well\n.*\nopen to pods · verified /s.test(status)
  const { agents, labels, conditions, leader } = await until(
    'nopal, a program on PATH of the image, to say that all is well',
    async () => {
      const found = await look()
      return isWell(found.status) && found
    },
    { limitMs: 120_000, everyMs: 1_000, despiteErrors: true },
  )
  // kubectl picks one of the two.
  t.match(leader, /^leader {2}(✓ |- Stands by\n)/)
  for (const { name } of nodes) {
    t.match(agents, new RegExp(`1/1 +Running .* ${name} `))
    t.match(labels, new RegExp(`${name} .* true\n`))
    t.match(conditions, new RegExp(`${name} +every check has passed\n`))
  }
}

interface AgentContainer {
  readonly securityContext: { readonly capabilities: { readonly add: readonly string[] } }
  readonly [field: string]: unknown
}

interface AgentPod {
  readonly containers: readonly [AgentContainer]
  readonly [field: string]: unknown
}

interface Verdict {
  readonly checks: readonly { readonly code: string; readonly from: string; readonly result: string }[]
}

/** Plugins that call iptables need it: that opens a raw socket. The one of this cluster, a bridge, calls nothing. */
const forOtherPlugins = ['NET_RAW']

async function takeCapabilities(t: Test, bed: Bed): Promise<void> {
  const { kubectl } = bed.cluster
  const daemonSet = JSON.parse(await kubectl(['-n', 'nopal', 'get', 'daemonset', 'nopal', '-o', 'json']))
  const agent = daemonSet.spec.template.spec as AgentPod
  const { add } = agent.containers[0].securityContext.capabilities
  const tried = add.filter(capability => !forOtherPlugins.includes(capability))
  t.not(tried.length, 0)
  const [whole, ...lesser] = await Promise.all([undefined, ...tried].map(less => askFromSandbox(bed, agent, less)))
  t.match(whole, ['api', 'dns'], 'with all of them the sandbox answers')
  for (const [at, passed] of lesser.entries()) t.same(passed, [], `without ${tried[at]} there is no sandbox`)
}

/** Runs the agent's pod, less one capability, to ask from the sandbox alone and once; returns the checks that passed. */
async function askFromSandbox(bed: Bed, agent: AgentPod, less: string | undefined): Promise<readonly string[]> {
  const { cluster, near } = bed
  const name = `ask-${(less ?? 'with-all').toLowerCase().replaceAll('_', '-')}`
  const spec = {
    ...agent,
    restartPolicy: 'Never',
    nodeName: near.name,
    containers: [asking(agent.containers[0], less)],
  }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'nopal' }, spec }
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(pod))
  await until(
    `${name} at its end`,
    async () => {
      const found = await getObject<Pod>(cluster.admin, `/api/v1/namespaces/nopal/pods/${name}`)
      return found !== undefined && ['Succeeded', 'Failed'].includes(found.status.phase)
    },
    { limitMs: 60_000, despiteErrors: true },
  )
  // The log is stdout and stderr together.
  const log = (await cluster.kubectl(['-n', 'nopal', 'logs', name])).split('\n')
  const { checks } = JSON.parse(log.find(line => line.startsWith('{"node"')) ?? '') as Verdict
  await cluster.kubectl(['-n', 'nopal', 'delete', 'pod', name])
  const passed = checks.filter(({ from, result }) => from === 'sandbox' && result === 'pass')
  return [...new Set(passed.map(({ code }) => code))].sort()
}

function asking(container: AgentContainer, less: string | undefined): object {
  // The host's ports are the agent's, and nobody probes a pod that ends by itself.
  const { ports: _, startupProbe: __, livenessProbe: ___, readinessProbe: ____, securityContext, ...rest } = container
  const add = securityContext.capabilities.add.filter(capability => capability !== less)
  const capabilities = { ...securityContext.capabilities, add }
  const args = ['verify', '--dry-run', '--from', 'sandbox', '--output', 'json']
  return { ...rest, args, securityContext: { ...securityContext, capabilities } }
}
