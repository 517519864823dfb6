import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ownerLives } from '../../machine/registry.ts'
import { ClusterMachine } from './machine.ts'
import { type ClusterPlan, machineNames } from './plan.ts'
import { readEntry, registry } from './registry.ts'

/** What a person wants to know of a cluster: whether it is whole, and how to reach it. */
export async function describeCluster(cluster: ClusterPlan): Promise<string> {
  const entry = readEntry(cluster.id)
  const others = registry.ids().filter(id => id !== cluster.id)
  const alsoUp = others.length === 0 ? [] : [`other clusters: ${others.join(', ')} (--name NAME)`]
  if (entry === undefined) return lines([`cluster ${cluster.id}: not there`, ...alsoUp])
  if (entry.phase !== 'up') {
    const starting = entry.phase === 'starting' && ownerLives(entry.owner)
    const state = starting ? 'starting' : 'half started, and nobody goes on; take it down'
    return lines([`cluster ${cluster.id}: ${state}`, ...alsoUp])
  }
  const machines = await Promise.all(machineNames.map(name => describeMachine(cluster, name)))
  return lines([
    `cluster ${cluster.id}: up`,
    ...machines,
    `kubeconfig: export KUBECONFIG=${cluster.kubeconfig}`,
    `logs: ${cluster.folder}/MACHINE/log`,
    ...alsoUp,
  ])
}

async function describeMachine(cluster: ClusterPlan, name: string): Promise<string> {
  const { folder, group } = ClusterMachine.open(cluster, name)
  const programs = (await readdir(join(folder, 'pid'))).filter(file => file !== 'anchor')
  const states = await Promise.all(
    programs.sort().map(async program => ((await group.isRunning(program)) ? program : `${program} (ended)`)),
  )
  return `${name.padEnd(4)} ${states.join(', ')}`
}

function lines(texts: readonly string[]): string {
  return `${texts.join('\n')}\n`
}
