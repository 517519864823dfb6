import { spawn, spawnSync } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../../../cni/host/system-error.ts'
import { findKubeAssets } from '../../cluster/assets.ts'
import { AlreadyListed } from '../../machine/registry.ts'
import { takeDown } from './down.ts'
import { ClusterMachine } from './machine.ts'
import { type ClusterPlan, defaultId, machineNames } from './plan.ts'
import { type Say, sayTo } from './progress.ts'
import { claimCluster, locateCluster, readEntry, registry, setPhase } from './registry.ts'
import { describeCluster } from './status.ts'
import { findParts, startCluster } from './up.ts'

const usage = `usage: scripts/cluster.sh [--name NAME] COMMAND
  up               starts a control plane and two nodes; minutes the first time, then seconds
  down             takes all of it away; also what is left of one that was killed
  status           what runs, and how to reach it
  kubectl ARGS...  kubectl, as the administrator
  on MACHINE COMMAND...   a program on one of: ${machineNames.join(' ')}
NAME tells clusters apart that run at the same time (default: ${defaultId}).
`

/** Wrong use of the command line. */
class UsageFault extends Error {}

/** What the command line asks for. */
interface Wish {
  readonly cluster: ClusterPlan
  readonly cache: string
  readonly verb: string
  readonly rest: readonly string[]
}

function readWish(args: readonly string[], cache: string): Wish {
  const named = args[0] === '--name'
  const [verb = '', ...rest] = named ? args.slice(2) : args
  return { cluster: locateCluster(named ? (args[1] ?? '') : defaultId, cache), cache, verb, rest }
}

const verbs: Readonly<Record<string, (wish: Wish, say: Say) => Promise<number>>> = {
  up,
  async down({ cluster }, say) {
    needRoot()
    say((await takeDown(cluster)) ? `cluster ${cluster.id} is gone` : `there is no cluster ${cluster.id}`)
    return 0
  },
  async status({ cluster }) {
    process.stdout.write(await describeCluster(cluster))
    return readEntry(cluster.id)?.phase === 'up' ? 0 : 1
  },
  async kubectl({ cluster, rest }) {
    needUp(cluster)
    const programs = await findKubeAssets(['kubectl'])
    return await runInForeground([join(programs, 'kubectl'), `--kubeconfig=${cluster.kubeconfig}`, ...rest])
  },
  async on({ cluster, rest: [name = '', ...argv] }) {
    needUp(cluster)
    if (!machineNames.includes(name) || argv.length === 0) throw new UsageFault()
    return await runInForeground(ClusterMachine.open(cluster, name).inside(argv))
  },
}

async function up({ cluster, cache }: Wish, say: Say): Promise<number> {
  needRoot()
  if (readEntry(cluster.id) !== undefined) throw alreadyThere(cluster)
  const parts = await findParts(cache)
  claim(cluster)
  try {
    await Promise.race([startCluster(cluster, parts, say), interruption()])
  } catch (error) {
    say(`${messageOf(error)}; taking down what there is of it`)
    giveUp(cluster)
    return 1
  }
  setPhase(cluster.id, 'up')
  say(`cluster ${cluster.id} is up: scripts/cluster.sh kubectl get pods -A`)
  process.stdout.write(await describeCluster(cluster))
  return 0
}

function interruption(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => reject(new Error(`interrupted by ${signal}`)))
    }
  })
}

/** By another process, while this one stands still: parts of the start may still be at work here. */
function giveUp(cluster: ClusterPlan): void {
  setPhase(cluster.id, 'failed')
  spawnSync(process.execPath, [import.meta.filename, '--name', cluster.id, 'down'], { stdio: 'ignore' })
}

function claim(cluster: ClusterPlan): void {
  try {
    claimCluster(cluster.id, cluster.folder)
  } catch (error) {
    throw error instanceof AlreadyListed ? alreadyThere(cluster) : error
  }
}

function alreadyThere(cluster: ClusterPlan): Error {
  return new Error(`cluster ${cluster.id} is there already: look with "status", take it down with "down"`)
}

function needUp(cluster: ClusterPlan): void {
  if (readEntry(cluster.id)?.phase === 'up') return
  const names = registry.ids()
  const hint = names.length === 0 ? '"up" starts one' : `there are: ${names.join(', ')} (--name NAME)`
  throw new Error(`cluster ${cluster.id} is not up; ${hint}`)
}

function needRoot(): void {
  if (process.getuid?.() !== 0) throw new Error('a cluster needs root: namespaces, mounts, control groups')
}

function runInForeground([file = '', ...args]: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'inherit' })
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 128))
  })
}

async function runMain(args: readonly string[]): Promise<number> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'nopal')
  try {
    const wish = readWish(args, cache)
    const run = verbs[wish.verb]
    if (run === undefined) throw new UsageFault()
    return await run(wish, sayTo(process.stderr))
  } catch (error) {
    process.stderr.write(error instanceof UsageFault ? usage : `cluster: ${messageOf(error)}\n`)
    return error instanceof UsageFault ? 2 : 1
  }
}

// Some programs it started still hold its event loop; they are meant to outlive it.
process.exit(await runMain(process.argv.slice(2)))
