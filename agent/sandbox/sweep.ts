import { rmdir, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { acquireLock, lockState } from '../../cni/host/lock.ts'
import { endOrphans } from '../../cni/host/orphans.ts'
import { errorCode, messageOf } from '../../cni/host/system-error.ts'
import { delChain } from '../../cni/spec/chain.ts'
import type { PluginRunner } from '../../cni/spec/plugin.ts'
import type { Logger } from '../runtime/log.ts'
import type { SandboxPaths } from './paths.ts'
import { attachmentOf, createPluginRunner } from './plugins.ts'
import { type FoundRecord, readRecords, removeRecord } from './record.ts'
import { steadyWords } from './words.ts'

/** What sweeping needs. */
export interface SweepOptions {
  readonly paths: SandboxPaths
  readonly log: Logger
  readonly runner?: PluginRunner
  /** Of one run of one plugin; 10 s unless told. */
  readonly limitMs?: number
  /** Ends plugins that hang. */
  readonly signal?: AbortSignal
}

const lockLimitMs = 1000
const usualLimitMs = 10_000
/** A plugin that outlived its agent is given as long to come to its own end. */
const graceMs = 2000

/**
 * Takes away what killed runs have left: their namespaces are gone with them, but the plugins still count addresses as
 * given out. Sandboxes of runs that live are left alone. Where a plugin hangs it is left for another time. Never throws.
 * @returns why the first of those that stay does, in words that are the same for the same fault
 */
export async function sweepSandboxes(options: SweepOptions): Promise<string | undefined> {
  const { paths, log, signal, limitMs = usualLimitMs } = options
  const runner = options.runner ?? createPluginRunner(paths, { limitMs, ...(signal && { signal }) })
  const failures: { readonly error: unknown; readonly words: string }[] = []
  try {
    for (const found of await readRecords(paths.recordFolder)) {
      const startedMs = performance.now()
      const named = { containerId: found.record?.containerId ?? '', netns: '' }
      await sweepOne({ paths, log, runner }, found).catch(error =>
        failures.push({ error, words: steadyWords(messageOf(error), named) }),
      )
      if (signal?.aborted || performance.now() - startedMs >= limitMs) break
    }
  } catch (error) {
    // Who may not read them makes no sandboxes either, and is told so by the checks.
    const denied = errorCode(error) === 'EACCES'
    log[denied ? 'debug' : 'warn']({ err: error }, 'the records of probe sandboxes cannot be read')
  }
  if (failures.length > 0)
    log.warn(
      { err: failures[0]?.error, sandboxes: failures.length },
      'probe sandboxes of earlier runs could not be taken down',
    )
  return failures[0]?.words
}

/** Sweeps, and takes the folder of records away if that leaves it empty. Never throws. */
export async function leaveNothing(options: SweepOptions): Promise<void> {
  await sweepSandboxes(options)
  const { lockFolder, recordFolder } = options.paths
  for (const folder of [lockFolder, recordFolder, dirname(recordFolder)]) await rmdir(folder).catch(() => undefined)
}

async function sweepOne(
  { paths, log, runner }: Required<Pick<SweepOptions, 'paths' | 'log' | 'runner'>>,
  { path, record }: FoundRecord,
): Promise<void> {
  // Nobody can undo what it does not say.
  if (record === undefined) return unlink(path)
  const { containerId, list } = record
  if ((await lockState(paths.lockFolder, containerId)) === 'held') return
  const lock = await acquireLock(paths.lockFolder, containerId, { timeoutMs: lockLimitMs })
  try {
    await endOrphans({ containerId }, graceMs)
    lock.settle()
    await delChain(runner, list, attachmentOf(containerId))
    await removeRecord(paths.recordFolder, containerId)
    log.info({ containerId }, 'took down the probe sandbox of an earlier run')
  } finally {
    lock.release()
  }
}
