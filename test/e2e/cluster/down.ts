import { rm } from 'node:fs/promises'
import { listCgroups, readCgroupMounts, removeCgroup } from '../../machine/cgroups.ts'
import { waitFor } from '../../machine/wait.ts'
import { type ClusterPlan, machinePrefix } from './plan.ts'
import { ownerLives, readEntry, releaseCluster } from './registry.ts'

/**
 * Takes a cluster down, also one that is half made or half gone: every process of it is below one of its control
 * groups, its mounts and networks end with the processes, and its files are in one folder.
 * @returns false if there was nothing
 */
export async function takeDown(cluster: ClusterPlan): Promise<boolean> {
  const entry = readEntry(cluster.id)
  if (entry !== undefined && entry.owner.pid !== process.pid && entry.phase === 'starting' && ownerLives(entry)) {
    process.kill(entry.owner.pid, 'SIGKILL')
    await waitFor({ what: 'the end of its start', limitMs: 10_000 }, async () => (ownerLives(entry) ? undefined : true))
  }
  const mounts = readCgroupMounts()
  const groups = await listCgroups(mounts, machinePrefix(cluster.id))
  await Promise.all(groups.map(group => removeCgroup(mounts, group)))
  const folder = entry?.folder ?? cluster.folder
  await rm(folder, { recursive: true, force: true })
  releaseCluster(cluster.id)
  return entry !== undefined || groups.length > 0
}
