import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { guardRun } from './guard.ts'
import { delist, enlist } from './registry.ts'

/** A folder that goes with its test, and is on the list of what scripts/lab-clean.sh sweeps up after a killed one. */
export async function listedFolder(t: Test): Promise<string> {
  const id = randomBytes(4).toString('hex')
  const folder = join(tmpdir(), `nopal-kactus-${id}`)
  enlist(id, folder)
  const remove = async () => {
    await rm(folder, { recursive: true, force: true })
    delist(id)
  }
  const release = guardRun(id, remove)
  t.teardown(() => remove().finally(release))
  await mkdir(folder, { mode: 0o700 })
  return folder
}
