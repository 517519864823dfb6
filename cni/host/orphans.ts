import { readdir, readFile } from 'node:fs/promises'
import { DELEGATE_MARK } from './orphan-mark.ts'
import { pause } from './pause.ts'

export interface OrphanOptions {
  readonly containerId: string
  /** How long they may take to come to their own end. */
  readonly graceMs: number
}

const LOOK_EVERY_MS = 20
const DEATH_MS = 2000

/**
 * Waits until no plugin works on a container any more that was started by a run of ours which is dead. While one does,
 * undoing its work would only race with it. After the grace they are killed; what they made is on record.
 * @returns how many had to be killed
 */
export async function endOrphans({ containerId, graceMs }: OrphanOptions): Promise<number> {
  if (await allGone(containerId, graceMs)) return 0
  const orphans = await orphansOf(containerId)
  for (const pid of orphans) kill(pid)
  await allGone(containerId, DEATH_MS)
  return orphans.length
}

async function allGone(containerId: string, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs
  while ((await orphansOf(containerId)).length > 0) {
    if (performance.now() > deadline) return false
    await pause(LOOK_EVERY_MS)
  }
  return true
}

/** Our delegates of that container. The caller holds its lock, so none of them has a living parent of ours. */
async function orphansOf(containerId: string): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const mine = await Promise.all(pids.map(pid => isDelegate(pid, containerId)))
  return pids.filter((_pid, index) => mine[index]).map(Number)
}

async function isDelegate(pid: string, containerId: string): Promise<boolean> {
  if (Number(pid) === process.pid) return false
  try {
    const variables = (await readFile(`/proc/${pid}/environ`, 'latin1')).split('\0')
    return variables.includes(`${DELEGATE_MARK}=1`) && variables.includes(`CNI_CONTAINERID=${containerId}`)
  } catch {
    // Ended this moment, or not ours to look at.
    return false
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}
