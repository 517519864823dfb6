import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode } from '../host/system-error.ts'
import { containerIdFault } from '../spec/names.ts'
import { type ContainerRecord, parseRecord, RecordError } from './record.ts'

const RECORD_SUFFIX = '.json'
const TEMPORARY_SUFFIX = `${RECORD_SUFFIX}.tmp`

/** Where kactus keeps its records. */
export function recordsFolder(cniDir: string): string {
  return join(cniDir, 'records')
}

/** The files of one container: its record, and what a write that was broken off has left. */
export interface RecordFiles {
  readonly record: string
  readonly temporary: string
}

export function recordFiles(cniDir: string, containerId: string): RecordFiles {
  const path = (suffix: string) => join(recordsFolder(cniDir), `${containerId}${suffix}`)
  return { record: path(RECORD_SUFFIX), temporary: path(TEMPORARY_SUFFIX) }
}

/**
 * Reads the record of a container; undefined = it has none.
 * @throws RecordError where there is something else in its place
 */
export function readRecord(cniDir: string, containerId: string): ContainerRecord | undefined {
  const { record } = recordFiles(cniDir, containerId)
  try {
    // Whoever opens a pipe waits for somebody to write to it.
    if (!lstatSync(record).isFile()) throw new RecordError('the record is no file')
    return parseRecord(readFileSync(record, 'utf8'), containerId)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Ids of all containers that have a record, or what a broken-off write of one has left. */
export function listContainers(cniDir: string): readonly string[] {
  const ids = namesIn(recordsFolder(cniDir)).flatMap(name => {
    const suffix = [TEMPORARY_SUFFIX, RECORD_SUFFIX].find(each => name.endsWith(each))
    return suffix === undefined ? [] : [name.slice(0, -suffix.length)]
  })
  return [...new Set(ids)].filter(id => containerIdFault(id) === undefined)
}

export interface RecordsFound {
  readonly records: readonly ContainerRecord[]
  /** What could not be read or believed. */
  readonly faults: readonly { readonly path: string; readonly error: unknown }[]
}

/** Reads all records, for those who only look: no lock is needed, as each is replaced whole. */
export async function readRecords(cniDir: string): Promise<RecordsFound> {
  const records: ContainerRecord[] = []
  const faults: RecordsFound['faults'][number][] = []
  for (const containerId of listContainers(cniDir)) {
    try {
      const record = readRecord(cniDir, containerId)
      if (record !== undefined) records.push(record)
    } catch (error) {
      faults.push({ path: recordFiles(cniDir, containerId).record, error })
    }
  }
  return { records, faults }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}
