import {
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
import { type ClusterPlan, planCluster, registryFolder } from './plan.ts'

/** What is written down of a cluster, for whoever comes later to use it or to take it down. */
export interface ClusterEntry {
  readonly id: string
  readonly folder: string
  readonly phase: 'starting' | 'up' | 'failed'
  /** The process that starts it. */
  readonly owner: { readonly pid: number; readonly startTime: string }
}

/** There is a cluster of this name already, or what is left of one. */
export class ClusterExists extends Error {
  override readonly name = 'ClusterExists'
  readonly code = 'ClusterExists'
}

/** Lists a new cluster. Of two at once, one gets it: a rename onto a folder that is not empty fails. */
export function claimCluster(id: string, folder: string): void {
  mkdirSync(registryFolder, { recursive: true })
  const draft = mkdtempSync(join(registryFolder, '.draft-'))
  try {
    const owner = { pid: process.pid, startTime: startTimeOf(process.pid) ?? '' }
    writeEntry(draft, { id, folder, phase: 'starting', owner })
    renameSync(draft, join(registryFolder, id))
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') throw new ClusterExists(`cluster ${id} exists`)
    throw error
  }
}

/** Notes how far the cluster has come. */
export function setPhase(id: string, phase: ClusterEntry['phase']): void {
  const entry = readEntry(id)
  if (entry !== undefined) writeEntry(join(registryFolder, id), { ...entry, phase })
}

/** Takes a cluster off the list. */
export function releaseCluster(id: string): void {
  rmSync(join(registryFolder, id), { recursive: true, force: true })
  try {
    rmdirSync(registryFolder)
  } catch (error) {
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'ENOENT') throw error
  }
}

/** undefined where there is no such cluster. */
export function readEntry(id: string): ClusterEntry | undefined {
  try {
    return JSON.parse(readFileSync(join(registryFolder, id, 'cluster.json'), 'utf8')) as ClusterEntry
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The cluster of that name: where it is, which may be another cache than ours, else where it would be made. */
export function locateCluster(id: string, cache: string): ClusterPlan {
  const plan = planCluster(id, cache)
  const entry = readEntry(id)
  return entry === undefined ? plan : planCluster(id, join(entry.folder, '../..'))
}

/** Every cluster on the list. */
export function listClusters(): string[] {
  try {
    return readdirSync(registryFolder).filter(name => !name.startsWith('.'))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

/** True while the process that starts or started the cluster lives; its id used again does not count. */
export function ownerLives({ owner }: ClusterEntry): boolean {
  return startTimeOf(owner.pid) === owner.startTime
}

function writeEntry(folder: string, entry: ClusterEntry): void {
  const draft = join(folder, '.cluster.json')
  writeFileSync(draft, `${JSON.stringify(entry, null, 2)}\n`)
  renameSync(draft, join(folder, 'cluster.json'))
}

/** The clock tick at which a process started; its name, in brackets, may hold spaces and brackets itself. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
