import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { ApiTarget } from '../cluster/api-client.ts'
import { findKubeAssets } from '../cluster/assets.ts'
import { type Begun, begin, callerEnv, runCommand } from '../machine/command.ts'
import { readAdminTarget } from './cluster/keys.ts'
import { ClusterMachine } from './cluster/machine.ts'
import { type ClusterPlan, nodePlans, planCluster } from './cluster/plan.ts'

const program = join(import.meta.dirname, 'cluster/main.ts')

/** A cluster of a test's own; it is taken down by `down`, and also when the test's process dies. */
export interface TestCluster {
  readonly plan: ClusterPlan
  readonly admin: ApiTarget
  /** By node name. */
  readonly nodes: ReadonlyMap<string, ClusterMachine>
  /** Runs kubectl as the administrator and returns what it printed. */
  kubectl(args: readonly string[], input?: string): Promise<string>
  down(): Promise<void>
  /** From now on the cluster outlives this process. */
  keep(): void
}

/** A name that no other cluster has. */
export function randomClusterId(): string {
  return `t${randomBytes(4).toString('hex')}`
}

/** Where clusters keep what they build and their data. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'nopal')
}

type Env = Readonly<Record<string, string>>

/** Runs the cluster program to its end, whatever its exit code. */
export function clusterCommand(id: string, ...args: readonly string[]): Promise<{ code: number; text: string }> {
  return foreignClusterCommand({}, id, ...args)
}

/** As somebody else runs it, with another environment. */
export async function foreignClusterCommand(env: Env, id: string, ...args: readonly string[]) {
  const { ended, text } = startClusterCommand(id, args, env)
  const { code } = await ended
  return { code, text: text() }
}

/** Starts the cluster program. */
export function startClusterCommand(id: string, args: readonly string[], env: Env = {}): Begun {
  return begin([process.execPath, program, '--name', id, ...args], { env: { ...callerEnv, ...env }, timeoutMs: 0 })
}

/** Starts a cluster and waits until it is whole. */
export async function startTestCluster(): Promise<TestCluster> {
  const plan = planCluster(randomClusterId(), cacheFolder())
  const keeper = startKeeper(plan.id)
  const { code, text } = await clusterCommand(plan.id, 'up')
  if (code !== 0) throw new Error(`the cluster did not start:\n${text}`)
  const nodes = nodePlans.map(({ name }) => [name, ClusterMachine.open(plan, name)] as const)
  const kubectl = join(await findKubeAssets(['kubectl']), 'kubectl')
  return {
    plan,
    admin: await readAdminTarget(join(plan.folder, 'keys'), plan.kubeconfig),
    nodes: new Map(nodes),
    kubectl: (args, input) =>
      runCommand([kubectl, `--kubeconfig=${plan.kubeconfig}`, ...args], { input: input ?? '', timeoutMs: 120_000 }),
    async down() {
      const { code, text } = await clusterCommand(plan.id, 'down')
      if (code !== 0) throw new Error(`the cluster did not go:\n${text}`)
      keeper.stdin?.end()
    },
    keep() {
      // With the program that waits for the end of stdin: the keeper leads a group of its own.
      if (keeper.pid !== undefined) process.kill(-keeper.pid, 'SIGKILL')
    },
  }
}

/** Takes a cluster down when the test ends, and when its process dies before that. */
export function takeDownAfter(t: Test, id: string): void {
  const keeper = startKeeper(id)
  t.teardown(async () => {
    await clusterCommand(id, 'down')
    keeper.stdin?.end()
  })
}

/** Takes the cluster down when its stdin ends, which is when this process is gone, whatever way it went. */
function startKeeper(id: string): ChildProcess {
  const script = 'cat >/dev/null; exec "$0" "$1" --name "$2" down'
  const args = ['-c', script, process.execPath, program, id]
  const keeper = spawn('sh', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  keeper.unref()
  return keeper
}
