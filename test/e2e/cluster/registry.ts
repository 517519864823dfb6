import { join } from 'node:path'
import { type Owner, Registry, thisProcess } from '../../machine/registry.ts'
import { type ClusterPlan, planCluster, registryFolder } from './plan.ts'

/** What is written down of a cluster, for whoever comes later to use it or to take it down. */
export interface ClusterEntry {
  readonly id: string
  readonly folder: string
  readonly phase: 'starting' | 'up' | 'failed'
  /** The process that starts it. */
  readonly owner: Owner
}

export const registry = new Registry(registryFolder)
const file = 'cluster.json'

const print = (entry: ClusterEntry) => `${JSON.stringify(entry, null, 2)}\n`

/**
 * Lists a new cluster.
 * @throws AlreadyListed
 */
export function claimCluster(id: string, folder: string): void {
  registry.claim(id, { [file]: print({ id, folder, phase: 'starting', owner: thisProcess() }) })
}

/** Notes how far the cluster has come. */
export function setPhase(id: string, phase: ClusterEntry['phase']): void {
  const entry = readEntry(id)
  if (entry !== undefined) registry.write(id, file, print({ ...entry, phase }))
}

/** undefined where there is no such cluster. */
export function readEntry(id: string): ClusterEntry | undefined {
  const text = registry.read(id, file)
  return text === undefined ? undefined : (JSON.parse(text) as ClusterEntry)
}

/** The cluster of that name: where it is, which may be another cache than ours, else where it would be made. */
export function locateCluster(id: string, cache: string): ClusterPlan {
  const plan = planCluster(id, cache)
  const entry = readEntry(id)
  return entry === undefined ? plan : planCluster(id, join(entry.folder, '../..'))
}
