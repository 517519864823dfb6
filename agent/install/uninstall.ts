import { rm, rmdir } from 'node:fs/promises'
import { isThere, syncFolder } from '../../cni/host/files.ts'
import { isMissing, messageOf } from '../../cni/host/system-error.ts'
import { ContainerLocks } from '../../cni/networks/container-locks.ts'
import { readRecords } from '../../cni/networks/record-folder.ts'
import type { PluginRunner } from '../../cni/spec/plugin.ts'
import type { InstallSettings } from '../config/settings.ts'
import { sandboxPaths } from '../sandbox/paths.ts'
import { createPluginRunner } from '../sandbox/plugins.ts'
import { InstallError } from './errors.ts'
import { findDefaultNetwork } from './observe.ts'
import { type InstallPaths, installPaths, temporaryName } from './paths.ts'
import { forgetKactus, releaseGone } from './release.ts'

/** What an uninstallation is told. */
export interface UninstallOptions {
  readonly settings: Pick<InstallSettings, 'cniBinDir' | 'cniConfDir' | 'hostRoot'>
  /** Take kactus away although containers still have interfaces of it. */
  readonly force: boolean
  /** The real one starts processes. */
  readonly runner?: PluginRunner
}

/** What an uninstallation did. */
export interface UninstallReport {
  readonly removed: readonly string[]
  readonly kept: readonly string[]
  /** For people: what is left to do, or what to look at. */
  readonly notes: readonly string[]
}

/** Of one run of one plugin. */
const pluginLimitMs = 15_000

/**
 * Puts the node's own default network first again. The conf goes first, so that no new pod gets interfaces
 * of kactus. The executable and its kubeconfig stay while any container has a record: runtimes that remember
 * the conf a pod was made with (CRI-O) call kactus to delete it, and a pod whose plugin is missing can
 * neither be deleted nor give its addresses back. What containers have left that ended without kactus is given back
 * here. With `force` kactus goes at once: pods keep the interfaces that they have, the runtime ends them by the node's own
 * default network, and their records stay, by which the next nopal gives back the addresses of their further networks.
 * @throws InstallError if a file cannot be removed
 */
export async function uninstall(options: UninstallOptions): Promise<UninstallReport> {
  const { settings, force, runner = createPluginRunner(sandboxPaths(settings), { limitMs: pluginLimitMs }) } = options
  const paths = installPaths(settings)
  const removed = await removeConf(settings)
  const held = await releaseGone({ paths, runner })
  const notes = [...(await noteDefault(paths, settings)), ...held]
  const needed = await leaveState(paths)
  if (needed !== undefined && !force) {
    const kept = [paths.kubeconfig, paths.binary]
    return { removed, kept, notes: [...notes, needed] }
  }
  if (needed !== undefined) await forgetKactus(paths)
  const strays = [temporaryName(paths.kubeconfig), temporaryName(paths.binary)]
  removed.push(...(await removeAll([paths.kubeconfig, paths.binary, ...strays])))
  // Only if empty: whatever else lies there is not ours.
  await rmdir(paths.kubeconfigFolder).catch(() => undefined)
  return { removed, kept: [], notes: [...notes, ...(needed === undefined ? [] : [stayNote(paths)])] }
}

/**
 * Puts the node's own default network first again, and nothing else.
 * @returns the files that were there
 * @throws InstallError if one cannot be removed
 */
export async function removeConf(settings: UninstallOptions['settings']): Promise<string[]> {
  const { confFolder, earlyConf, conf } = installPaths(settings)
  const removed = await removeAll([earlyConf, conf].flatMap(each => [each, temporaryName(each)]))
  if (removed.length > 0) await syncFolder(confFolder)
  return removed
}

function stayNote({ stateFolder }: InstallPaths): string {
  return `pods that kactus attached keep their interfaces; what a later nopal will give back is in ${stateFolder}`
}

/**
 * Takes the state away once no container has a record, while no kactus works: a run that began under our conf may only
 * now write the record of what it attaches.
 * @returns why kactus is needed still; undefined = it is not
 */
async function leaveState({ stateFolder }: InstallPaths): Promise<string | undefined> {
  if (!(await isThere(stateFolder))) return undefined
  try {
    const lock = await new ContainerLocks(stateFolder).lockAll()
    try {
      const records = await countRecords(stateFolder)
      // Only locks and empty folders by now; where the host's state may only be read, they stay.
      if (records === 0) await rm(stateFolder, { recursive: true, force: true }).catch(() => undefined)
      if (records === 0) return undefined
      return `${records} containers still have interfaces of kactus: run this again when their pods are gone`
    } finally {
      lock.release()
    }
  } catch (error) {
    return `kactus is at work, run this again: ${messageOf(error)}`
  }
}

async function removeAll(files: readonly string[]): Promise<string[]> {
  const removed: string[] = []
  for (const file of files) {
    try {
      await rm(file)
      removed.push(file)
    } catch (error) {
      if (!isMissing(error)) throw new InstallError('CannotRemove', `${file} cannot be removed`, error)
    }
  }
  return removed
}

/** Every record counts, also one that cannot be read: it may stand for a pod that must be deleted. */
async function countRecords(folder: string): Promise<number> {
  const { records, faults } = await readRecords(folder)
  return records.length + faults.length
}

async function noteDefault(paths: InstallPaths, settings: UninstallOptions['settings']): Promise<readonly string[]> {
  const { confFolder } = paths
  const { defaultNetwork: network } = await findDefaultNetwork({ paths, settings })
  if (network.kind === 'found') return [`the default network is ${network.list.name} again`]
  if (network.kind === 'none') return [`${confFolder} holds no other network: new pods cannot start`]
  return [`${network.path} cannot be read: ${network.message}`]
}
