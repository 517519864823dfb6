import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

/** Where every run is listed, so that scripts/lab-clean.sh finds what a killed run left. */
export const registryFolder = '/run/nopal-lab'

/** Every process of a run carries the run's id in this variable. Not NOPAL_...: the agent refuses names it does not know. */
export const runVariable = 'LAB_RUN_OF_NOPAL'

/**
 * Lists a run with its owner (process id and start time: the pair is never used twice) and its folder.
 * The entry appears whole, by a rename, so that nobody sees a run without its owner.
 */
export function enlist(id: string, folder: string): void {
  insideSharedFolder(registryFolder, () => {
    const draft = mkdtempSync(join(registryFolder, '.draft-'))
    writeFileSync(join(draft, 'owner'), `${process.pid} ${startTime(process.pid)}\n`)
    writeFileSync(join(draft, 'folders'), `${folder}\n`)
    renameSync(draft, join(registryFolder, id))
  })
}

/**
 * Makes a folder that all runs share, and does something in it.
 * A run that ends takes the empty folder away, maybe right between the two: then once more.
 */
function insideSharedFolder(folder: string, work: () => void): void {
  for (let attempt = 1; ; attempt++) {
    try {
      mkdirSync(folder, { recursive: true })
      work()
      return
    } catch (error) {
      if (attempt === 10 || codeOf(error) !== 'ENOENT') throw error
    }
  }
}

/** Notes one more folder that must go with the run. */
export function noteFolder(id: string, folder: string): void {
  appendFileSync(join(registryFolder, id, 'folders'), `${folder}\n`)
}

/** Every run on the list with the process that owns it. */
export function listedRuns(): { readonly id: string; readonly owner: number }[] {
  if (!existsSync(registryFolder)) return []
  return readdirSync(registryFolder)
    .filter(id => existsSync(join(registryFolder, id, 'owner')))
    .map(id => ({ id, owner: Number.parseInt(readFileSync(join(registryFolder, id, 'owner'), 'utf8'), 10) }))
    .filter(run => !run.id.startsWith('.'))
}

/** Takes a run off the list; the last one takes the list itself. */
export function delist(id: string): void {
  rmSync(join(registryFolder, id), { recursive: true, force: true })
  removeIfEmpty(registryFolder)
}

/** Removes a folder unless something is in it, it is a mount point, or it is gone already. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EBUSY'].includes(codeOf(error))) throw error
  }
}

/** The clock tick at which a process started. The program's name may hold spaces and brackets: count from the last one. */
export function startTime(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return afterName[19] ?? ''
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
