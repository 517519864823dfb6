import { readdirSync } from 'node:fs'
import type { Program } from '../machine/program.ts'
import { until } from '../machine/wait.ts'
import type { Lab } from './lab.ts'
import type { LabNode } from './node.ts'
import { type NodeObject, networkCondition, readNode } from './objects.ts'
import { processesOn } from './processes.ts'

/** The document of `nopal verify --output json`, as far as tests read it. */
export interface VerdictDocument {
  readonly passed: boolean
  readonly checks: readonly VerdictCheck[]
}

export interface VerdictCheck {
  readonly code: string
  readonly from: string
  readonly target: string
  readonly result: string
  readonly reason?: string
  readonly message: string
}

/** Runs `nopal verify` on a node as a person would; the agent must have been started there once. */
export async function verify(lab: Lab, node: LabNode, args: readonly string[] = []): Promise<VerdictDocument> {
  const from = args.includes('--from') ? [] : ['--from', 'host,sandbox']
  const words = [node.nopalScript, 'verify', '--dry-run', '--output', 'json', ...from, ...args]
  const { stdout, stderr, code } = await lab.run.exec(words)
  if (code > 1) throw new Error(`nopal verify ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as VerdictDocument
}

/** Results in short, one of a kind: `dns NoAnswer`. */
function failures(verdict: VerdictDocument, from: string): readonly string[] {
  const failed = verdict.checks.filter(check => check.from === from && check.result === 'fail')
  return [...new Set(failed.map(check => `${check.code} ${check.reason ?? ''}`))].sort()
}

/**
 * Runs it until nothing fails but these, all of them from the sandbox: a machine that is busy may be late with other
 * answers.
 */
export async function untilFails(
  lab: Lab,
  node: LabNode,
  fails: readonly string[],
  args: readonly string[] = [],
): Promise<VerdictDocument> {
  let last = ''
  const isSo = async () => {
    const verdict = await verify(lab, node, args)
    last = [...failures(verdict, 'host').map(each => `${each} (host)`), ...failures(verdict, 'sandbox')].join(', ')
    return last === fails.join(', ') && verdict
  }
  return await until(`what fails to be: ${fails.join(', ')}`, isSo).catch(cause => {
    throw new Error(`what fails is: ${last}`, { cause })
  })
}

/** Waits for the condition to have a status. */
export async function conditionOf(lab: Lab, node: LabNode, status: string): Promise<NodeObject> {
  return await until(`${node.name} to be ${status}`, async () => {
    const now = await readNode(lab.api, node.name)
    return networkCondition(now)?.status === status ? now : undefined
  })
}

/** What is left of probe sandboxes on a node: records, addresses given out, cables, processes. */
export async function sandboxTraces(node: LabNode): Promise<readonly string[]> {
  const script = `
    find /var/lib/cni/nopal -type f -o -type l 2>/dev/null
    grep -rl nopal-probe- /var/lib/cni/networks /var/lib/cni/kactus 2>/dev/null
    ip -o link show type veth | grep -v ' eth0@' | cut -d' ' -f2`
  const { stdout } = await node.exec(['sh', '-c', script])
  const probe = 'nopal.js probe'
  const probes = processesOn(node).filter(({ command }) => command.includes(probe))
  return [...stdout.split('\n').filter(line => line !== ''), ...probes.map(() => probe)]
}

/** Waits until nothing is left: the kernel takes the cables of a namespace that died in its own time. */
export async function untilNoTraces(node: LabNode): Promise<void> {
  let left: readonly string[] = []
  const isGone = async () => {
    left = await sandboxTraces(node)
    return left.length === 0
  }
  await until(`nothing of sandboxes to be left on ${node.name}`, isGone).catch(cause => {
    throw new Error(`left behind: ${left.join(', ')}`, { cause })
  })
}

/**
 * Waits until all sandboxes of an agent are taken down but the standing one, which may not be there yet. A record alone
 * does not say whose it is: as long as earlier ones could not be detached it may be one of theirs, and an agent that is
 * told to end in the midst of that leaves it to the next one.
 */
export async function untilAllTakenDown(node: LabNode, agent: Program): Promise<void> {
  const standing = () => (agent.log().includes('"standing sandbox attached"') ? 1 : 0)
  await until('all but the standing sandbox to be taken down', () => recordsOn(node).length === standing())
}

/** The records of sandboxes that a node has at this moment. */
export function recordsOn(node: LabNode): readonly string[] {
  try {
    return readdirSync(node.path('/var/lib/cni/nopal/sandboxes')).filter(name => name.endsWith('.json'))
  } catch {
    return []
  }
}
