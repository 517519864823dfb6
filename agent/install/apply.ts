import { chmod, rm } from 'node:fs/promises'
import { isThere, makeFolder, writeFileAtomic } from '../../cni/host/files.ts'
import { copyBinary } from './binary.ts'
import { InstallError } from './errors.ts'
import { type InstallPaths, temporaryName } from './paths.ts'
import type { Action } from './plan.ts'

/** How to take back what was made where nothing was before. */
type Undo = () => Promise<void>

/**
 * Does the actions in order. If one fails, files that were not there before are taken away again, so a first
 * installation is whole or absent; files that were replaced stay new, because each is whole and wanted.
 * @throws InstallError with the fault as its cause
 */
export async function applyInstall(actions: readonly Action[], paths: InstallPaths, source: string): Promise<void> {
  const undo: Undo[] = []
  try {
    for (const action of actions) await applyOne(action, { paths, source, undo })
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => undefined)
    throw error
  }
}

interface Context {
  readonly paths: InstallPaths
  readonly source: string
  readonly undo: Undo[]
}

async function applyOne(action: Action, { paths, source, undo }: Context): Promise<void> {
  const target = targetOf(action, paths)
  try {
    if (action.kind === 'removeEarlyConf') return await rm(target, { force: true })
    const isNew = !(await isThere(target))
    await makeFolders(action, paths, undo)
    if (isNew) undo.push(() => rm(target, { force: true }))
    await write(action, target, source)
  } catch (error) {
    if (error instanceof InstallError) throw error
    throw new InstallError('CannotWrite', `${target} cannot be written`, error)
  }
}

async function write(
  action: Exclude<Action, { kind: 'removeEarlyConf' }>,
  target: string,
  source: string,
): Promise<void> {
  if (action.kind === 'copyBinary') return copyBinary(source, target)
  const mode = action.kind === 'writeKubeconfig' ? 0o600 : action.mode
  return writeFileAtomic(target, action.text, { mode, temporary: temporaryName(target) })
}

function targetOf(action: Action, paths: InstallPaths): string {
  const targets = {
    copyBinary: paths.binary,
    writeKubeconfig: paths.kubeconfig,
    writeConf: paths.conf,
    writeEarlyConf: paths.earlyConf,
    removeEarlyConf: paths.earlyConf,
  }
  return targets[action.kind]
}

async function makeFolders(action: Action, paths: InstallPaths, undo: Undo[]): Promise<void> {
  if (action.kind === 'copyBinary') await makeFolder(paths.binFolder, 0o755)
  if (action.kind !== 'writeKubeconfig') return
  if (!(await isThere(paths.kubeconfigFolder)))
    undo.push(() => rm(paths.kubeconfigFolder, { recursive: true, force: true }))
  await makeFolder(paths.kubeconfigFolder)
  await chmod(paths.kubeconfigFolder, 0o700)
}
