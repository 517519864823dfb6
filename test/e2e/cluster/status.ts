import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readCgroupMounts } from '../../machine/cgroups.ts'
import { Machine } from '../../machine/machine.ts'
import { ownerLives } from '../../machine/registry.ts'
import { type ClusterPlan, machineNames } from './plan.ts'
import { listClusters, readEntry } from './registry.ts'

/** What a person wants to know of a cluster: whether it is whole, and how to reach it. */
export async function describeCluster(cluster: ClusterPlan): Promise<string> {
  const entry = readEntry(cluster.id)
  const others = listClusters().filter(id => id !== cluster.id)
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
  const machine = await openMachine(cluster, name)
  const programs = (await readdir(join(machine.spec.folder, 'pid'))).filter(
    file => file !== 'anchor' && file !== 'ready',
  )
  const states = await Promise.all(
    programs.sort().map(async program => ((await machine.isRunning(program)) ? program : `${program} (ended)`)),
  )
  return `${name.padEnd(4)} ${states.join(', ')}`
}

/** One machine of a cluster that is up. */
export function openMachine(cluster: ClusterPlan, name: string): Promise<Machine> {
  const spec = { name: cluster.machineName(name), hostName: name, folder: cluster.machineFolder(name) }
  return Machine.open({ ...spec, cgroups: readCgroupMounts() })
}

function lines(texts: readonly string[]): string {
  return `${texts.join('\n')}\n`
}
