import { readdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { PluginProcesses } from '../../cni/host/plugin-process.ts'
import { KactusCode } from '../../cni/networks/codes.ts'
import type { Attachment, ContainerRecord } from '../../cni/networks/record.ts'
import { readRecords, recordFiles } from '../../cni/networks/record-folder.ts'
import { delChain } from '../../cni/spec/chain.ts'
import type { PluginRunner } from '../../cni/spec/plugin.ts'
import { messageOf } from '../runtime/error-fields.ts'
import type { InstallPaths } from './paths.ts'

/** What containers have left that ended without kactus. */
export interface ReleaseReport {
  /** Containers whose networks were given back. */
  readonly released: number
  /** For people: what could not be given back, and why. */
  readonly notes: readonly string[]
}

/** The folders of a release, and what runs plugins. */
export interface ReleaseOptions {
  readonly paths: Pick<InstallPaths, 'stateFolder' | 'cniState' | 'sandboxFolder'>
  /** Where plugins that run here find the addresses they have given out. */
  readonly pluginState: string
  readonly runner: PluginRunner
}

/** Where plugins keep what they remember unless their configuration says otherwise. */
export const defaultPluginState = '/var/lib/cni'
const pluginTimeoutMs = 60_000

/** Runs the host's plugins. They need no sandbox: it is gone, and its interfaces with it. */
export function createReleaseRunner(binFolder: string): PluginRunner {
  return new PluginProcesses({
    folders: [binFolder],
    env: {},
    timeoutMs: pluginTimeoutMs,
    stderr: () => undefined,
    codes: { notFound: KactusCode.PluginNotFound, failed: KactusCode.PluginFailed },
  })
}

/**
 * Gives back what pods have left that ended after kactus' conf went: a runtime that knows only the newest conf
 * (containerd) deletes them from the node's default network alone, so the addresses of their further networks and
 * their records would stay for ever.
 */
export async function releaseGone(options: ReleaseOptions): Promise<ReleaseReport> {
  const { paths, pluginState } = options
  const sandboxes = await readdir(paths.sandboxFolder).catch(() => undefined)
  // Not mounted here, or not what plugins would write to: whoever runs this cannot know, or would do it in vain.
  if (sandboxes === undefined || !(await isSameFolder(paths.cniState, pluginState))) return { released: 0, notes: [] }
  const { records } = await readRecords(paths.stateFolder)
  const notes: string[] = []
  let released = 0
  for (const record of records.filter(each => isGone(each, sandboxes))) {
    try {
      await release(record, options)
      released += 1
    } catch (error) {
      notes.push(`container ${record.containerId.slice(0, 12)} is gone, but not its networks: ${messageOf(error)}`)
    }
  }
  return { released, notes }
}

/** Named sandboxes only: a path below /proc may be another process's by now. */
function isGone({ netns }: ContainerRecord, sandboxes: readonly string[]): boolean {
  return /^(?:\/var)?\/run\/netns\/[^/]+$/.test(netns) && !sandboxes.includes(basename(netns))
}

async function release(record: ContainerRecord, { paths, runner }: ReleaseOptions): Promise<void> {
  for (const attachment of record.attachments.toReversed()) {
    if (needsRelease(attachment)) await releaseOne(record, attachment, runner)
  }
  const results = record.attachments.map(({ conf, owner }) => `results/${conf}-${record.containerId}-${owner}`)
  for (const file of new Set(results)) await rm(join(paths.cniState, file), { force: true })
  const files = recordFiles(paths.stateFolder, record.containerId)
  for (const file of Object.values(files)) await rm(file, { force: true })
}

/** The default network was the runtime's to end, by the node's own conf. */
function needsRelease({ isPrimary, status }: Attachment): boolean {
  return !isPrimary && (status === 'adding' || status === 'added')
}

function releaseOne({ containerId }: ContainerRecord, attachment: Attachment, runner: PluginRunner): Promise<void> {
  const { list, ifname, args, capabilityArgs, result } = attachment
  return delChain(runner, list, { containerId, netns: '', ifname, args, capabilityArgs }, result)
}

async function isSameFolder(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map(path => stat(path).catch(() => undefined)))
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino
}
