import { readdirSync, readFileSync } from 'node:fs'
import { pause } from './pause.ts'
import { hasEnded, isLiving, type ProcessFacts, processFacts, STARTER_MARK, STATE_MARK } from './process-identity.ts'

/** Whose orphans: of one container; of the GCs of a state folder, whose plugins work for no container; of all its runs. */
export type OrphanScope = { readonly containerId: string } | { readonly gcOf: string } | { readonly allOf: string }

const LOOK_EVERY_MS = 20
const DEATH_MS = 2000

/**
 * Waits until no plugin works any more that was started by a run of ours which is dead, nor anything that such a plugin
 * has started. While one does, undoing its work would only race with it. After the grace they are killed; what they made
 * is on record.
 * @param graceMs how long they may take to come to their own end
 * @returns how many had to be killed
 */
export function endOrphans(scope: OrphanScope, graceMs: number): Promise<number> {
  return endAll(() => orphansOf(scope), graceMs)
}

/**
 * The same for what a plugin has started that has ended itself.
 * @param leader of its group, dead
 */
export function endGroup(leader: number, graceMs: number): Promise<number> {
  return endAll(() => membersOf(new Set([leader])), graceMs)
}

async function endAll(look: () => readonly ProcessFacts[], graceMs: number): Promise<number> {
  if (await allGone(look, graceMs)) return 0
  const rest = look()
  for (const { pid } of rest) kill(pid)
  // A process that is dying has no environment any more, by which it would be found.
  await allGone(look, DEATH_MS, rest)
  return rest.length
}

async function allGone(look: () => readonly ProcessFacts[], limitMs: number, first = look()): Promise<boolean> {
  const deadline = performance.now() + limitMs
  for (let found = first; found.length > 0; found = look()) {
    // A look costs some milliseconds on a large node; to see whether these are still there costs nothing.
    while (found.some(isThere)) {
      if (performance.now() > deadline) return false
      await pause(LOOK_EVERY_MS)
    }
  }
  return true
}

/** With all that is in their process groups, whatever its environment says. */
function orphansOf(scope: OrphanScope): readonly ProcessFacts[] {
  const orphans = factsOf(pids().filter(pid => isOrphan(pid, scope)))
  if (orphans.length === 0) return []
  const known = new Set(orphans.map(({ pid }) => pid))
  // A plugin leads a group of its own. A group whose leader lives and is none of them is somebody else's.
  const groups = new Set(orphans.map(({ group }) => group).filter(leader => known.has(leader) || !isWorking(leader)))
  const own = processFacts('self')?.group
  if (own !== undefined) groups.delete(own)
  return [...orphans, ...membersOf(groups).filter(({ pid }) => !known.has(pid))]
}

/** A plugin whose environment says that we started it, and for whom, when that run of ours is no more. */
function isOrphan(pid: number, scope: OrphanScope): boolean {
  const variables = environmentOf(pid)
  const mark = variables.find(text => text.startsWith(`${STARTER_MARK}=`))
  if (mark === undefined || isLiving(mark.slice(STARTER_MARK.length + 1))) return false
  return signsOf(scope).every(sign => variables.includes(sign))
}

function signsOf(scope: OrphanScope): readonly string[] {
  if ('containerId' in scope) return [`CNI_CONTAINERID=${scope.containerId}`]
  return 'gcOf' in scope ? [`${STATE_MARK}=${scope.gcOf}`, 'CNI_COMMAND=GC'] : [`${STATE_MARK}=${scope.allOf}`]
}

function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
  } catch {
    // Ended this moment, or not ours to look at.
    return []
  }
}

function membersOf(groups: ReadonlySet<number>): readonly ProcessFacts[] {
  return factsOf(pids()).filter(({ group }) => groups.has(group))
}

function pids(): readonly number[] {
  return readdirSync('/proc').map(Number).filter(Number.isSafeInteger)
}

function isWorking(pid: number): boolean {
  const facts = processFacts(pid)
  return facts !== undefined && !hasEnded(facts)
}

function factsOf(numbers: readonly number[]): readonly ProcessFacts[] {
  return numbers
    .map(processFacts)
    .filter(facts => facts !== undefined)
    .filter(facts => !hasEnded(facts))
}

function isThere({ pid, start }: ProcessFacts): boolean {
  return isLiving(`${pid}-${start}`)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}
