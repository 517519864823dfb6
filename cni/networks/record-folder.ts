import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ContainerRecord, parseRecord } from './record.ts'

export const RECORD_SUFFIX = '.json'

/** Where kactus keeps its records. */
export function recordsFolder(cniDir: string): string {
  return join(cniDir, 'records')
}

export interface RecordsFound {
  readonly records: readonly ContainerRecord[]
  /** Files that could not be read or believed. */
  readonly faults: readonly { readonly path: string; readonly error: unknown }[]
}

/** Reads all records, for those who only look: no lock is needed, as each is replaced whole. */
export async function readRecords(cniDir: string): Promise<RecordsFound> {
  const folder = recordsFolder(cniDir)
  const names = (await listOf(folder)).filter(name => name.endsWith(RECORD_SUFFIX))
  const outcomes = await Promise.all(names.map(name => readOne(folder, name)))
  return {
    records: outcomes.flatMap(outcome => ('record' in outcome ? [outcome.record] : [])),
    faults: outcomes.flatMap(outcome => ('fault' in outcome ? [outcome.fault] : [])),
  }
}

type Outcome = { readonly record: ContainerRecord } | { readonly fault: RecordsFound['faults'][number] } | Gone
interface Gone {
  readonly gone: true
}

async function readOne(folder: string, name: string): Promise<Outcome> {
  const path = join(folder, name)
  try {
    return { record: parseRecord(await readFile(path, 'utf8'), name.slice(0, -RECORD_SUFFIX.length)) }
  } catch (error) {
    return isMissing(error) ? { gone: true } : { fault: { path, error } }
  }
}

async function listOf(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(error => {
    if (isMissing(error)) return []
    throw error
  })
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
