import { rm, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isEnding, listCgroups, readCgroupMounts, removeCgroup } from '../../machine/cgroups.ts'
import { ownerLives } from '../../machine/registry.ts'
import { until } from '../../machine/wait.ts'
import { type ClusterPlan, machinePrefix } from './plan.ts'
import { readEntry, registry } from './registry.ts'

/**
 * Takes a cluster down, also one that is half made or half gone: every process of it is below one of its control
 * groups, its mounts and networks end with the processes, and its files are in one folder.
 * @returns false if there was nothing
 */
export async function takeDown(cluster: ClusterPlan): Promise<boolean> {
  const entry = readEntry(cluster.id)
  if (entry?.phase === 'starting' && ownerLives(entry.owner)) {
    process.kill(entry.owner.pid, 'SIGKILL')
    await until('the end of its start', async () => !ownerLives(entry.owner), {
      limitMs: 10_000,
      despiteErrors: true,
    })
  }
  const mounts = readCgroupMounts()
  const groups = await listCgroups(mounts, machinePrefix(cluster.id))
  await Promise.all(groups.map(group => removeCgroup(mounts, group)))
  const prefix = machinePrefix(cluster.id)
  // Where nobody collects dead processes (a container without an init) they stay, and are harmless.
  await until('its processes ended', async () => !(await isEnding(prefix)), {
    limitMs: 5_000,
    despiteErrors: true,
  }).catch(() => undefined)
  const folder = entry?.folder ?? cluster.folder
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  await rmdir(dirname(folder)).catch(() => undefined)
  registry.release(cluster.id)
  return entry !== undefined || groups.length > 0
}
