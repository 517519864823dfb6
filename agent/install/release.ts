import { readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { messageOf } from '../../cni/host/system-error.ts'
import { ContainerLocks } from '../../cni/networks/container-locks.ts'
import type { Attachment, ContainerRecord } from '../../cni/networks/record.ts'
import { readRecord, readRecords, recordFiles } from '../../cni/networks/record-folder.ts'
import { delChain } from '../../cni/spec/chain.ts'
import type { PluginRunner } from '../../cni/spec/plugin.ts'
import type { InstallPaths } from './paths.ts'

/** The folders of a release, and what runs plugins. */
export interface ReleaseOptions {
  readonly paths: Pick<InstallPaths, 'stateFolder' | 'cniState' | 'sandboxFolder'>
  readonly runner: PluginRunner
}

/**
 * Gives back what pods have left that ended after kactus' conf went: a runtime that knows only the newest conf
 * (containerd) deletes them from the node's default network alone, so the addresses of their further networks and
 * their records would stay for ever. A container that kactus works on is left to it.
 * @returns for people: what could not be given back, and why
 */
export async function releaseGone({ paths, runner }: ReleaseOptions): Promise<readonly string[]> {
  const sandboxes = await readdir(paths.sandboxFolder).catch(() => undefined)
  // Not mounted here: whoever runs this cannot know.
  if (sandboxes === undefined) return []
  const { records } = await readRecords(paths.stateFolder)
  const notes: string[] = []
  for (const { containerId } of records.filter(each => isGone(each, sandboxes))) {
    try {
      await releaseOne(containerId, sandboxes, { paths, runner })
    } catch (error) {
      notes.push(`container ${containerId.slice(0, 12)} is gone, but not its networks: ${messageOf(error)}`)
    }
  }
  return notes
}

/** Named sandboxes only: a path below /proc may be another process's by now. */
function isGone({ netns }: ContainerRecord, sandboxes: readonly string[]): boolean {
  return /^(?:\/var)?\/run\/netns\/[^/]+$/.test(netns) && !sandboxes.includes(basename(netns))
}

/** Under kactus' own lock, and by what the record says then. */
async function releaseOne(containerId: string, sandboxes: readonly string[], options: ReleaseOptions): Promise<void> {
  const { stateFolder } = options.paths
  const lock = await new ContainerLocks(stateFolder).lockAtOnce(containerId)
  if (lock === undefined) return
  try {
    await lock.begin()
    const record = readRecord(stateFolder, containerId)
    if (record !== undefined && isGone(record, sandboxes)) await release(record, options)
  } finally {
    lock.release()
  }
}

async function release(record: ContainerRecord, { paths, runner }: ReleaseOptions): Promise<void> {
  const { containerId, attachments } = record
  for (const attachment of attachments.toReversed().filter(needsRelease)) {
    const { list, ifname, args, capabilityArgs, result } = attachment
    // The plugins need no sandbox: it is gone, and its interfaces with it.
    await delChain(runner, list, { containerId, netns: '', ifname, args, capabilityArgs }, result)
  }
  await forgetResults(record, paths)
  for (const file of Object.values(recordFiles(paths.stateFolder, containerId))) await rm(file, { force: true })
}

/**
 * Makes runtimes forget that they attached the containers by kactus: one that remembers the conf a pod was made with (CRI-O)
 * would call an executable that is gone, and the pod could not be deleted. Then it uses the node's own default network.
 */
export async function forgetKactus(paths: Pick<InstallPaths, 'stateFolder' | 'cniState'>): Promise<void> {
  const { records } = await readRecords(paths.stateFolder)
  for (const record of records) await forgetResults(record, paths)
}

async function forgetResults(
  { containerId, attachments }: ContainerRecord,
  { cniState }: Pick<InstallPaths, 'cniState'>,
): Promise<void> {
  const results = attachments.map(({ conf, owner }) => `results/${conf}-${containerId}-${owner}`)
  for (const file of new Set(results)) await rm(join(cniState, file), { force: true })
}

/** The default network was the runtime's to end, by the node's own conf. */
function needsRelease({ isPrimary, status }: Attachment): boolean {
  return !isPrimary && (status === 'adding' || status === 'added')
}
