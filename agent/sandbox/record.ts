import { readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder, writeFileAtomic } from '../../cni/host/files.ts'
import { orMissing } from '../../cni/host/system-error.ts'
import { type ConfList, confListFrom } from '../../cni/spec/conf.ts'
import { field, isJsonObject, parseJson, printJson } from '../../cni/spec/json.ts'
import { containerIdFault } from '../../cni/spec/names.ts'

/** All that DEL needs to know of a sandbox, written down before its ADD. */
export interface SandboxRecord {
  readonly containerId: string
  /** The network exactly as ADD ran it: the file in the folder may change meanwhile. */
  readonly list: ConfList
}

const ending = '.json'

/** Writes a record so that it is there after any kill or power loss. */
export async function writeRecord(folder: string, record: SandboxRecord): Promise<void> {
  await makeFolder(folder)
  await writeFileAtomic(pathOf(folder, record.containerId), `${printRecord(record)}\n`, { mode: 0o600 })
}

export async function removeRecord(folder: string, containerId: string): Promise<void> {
  await unlink(pathOf(folder, containerId)).catch(orMissing)
}

/** A file of the folder: a record, or what is wrong with it. */
export interface FoundRecord {
  readonly path: string
  readonly record: SandboxRecord | undefined
}

/** Every record of the folder; one that is no record has none. */
export async function readRecords(folder: string): Promise<readonly FoundRecord[]> {
  return Promise.all(
    (await recordNames(folder)).map(async name => {
      const path = join(folder, name)
      return { path, record: parseRecord(await readFile(path, 'utf8').catch(() => '')) }
    }),
  )
}

async function recordNames(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder).catch(orMissing)) ?? []
  return names.filter(name => name.endsWith(ending) && !name.startsWith('.'))
}

export function printRecord({ containerId, list }: SandboxRecord): string {
  const { name, cniVersion, plugins } = list
  return printJson({ schema: 1, containerId, list: { name, cniVersion, plugins: [...plugins] } })
}

/** Reads the text of a record; undefined = it is none. */
export function parseRecord(text: string): SandboxRecord | undefined {
  try {
    const document = parseJson(text)
    if (!isJsonObject(document) || field(document, 'schema') !== 1) return undefined
    const containerId = field(document, 'containerId')
    const list = field(document, 'list')
    if (typeof containerId !== 'string' || containerIdFault(containerId) !== undefined) return undefined
    return isJsonObject(list) ? { containerId, list: confListFrom(list) } : undefined
  } catch {
    return undefined
  }
}

function pathOf(folder: string, containerId: string): string {
  return join(folder, `${containerId}${ending}`)
}
