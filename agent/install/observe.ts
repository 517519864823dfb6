import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { readFirstConf } from '../../cni/spec/conf.ts'
import { messageOf } from '../runtime/error-fields.ts'
import { leadsToKactus } from './conf.ts'
import { confName, earlyConfName, type InstallPaths } from './paths.ts'
import type { DefaultNetwork, Observed } from './plan.ts'

/** Reads the host's files, all but the executable. */
export async function observeFiles(paths: InstallPaths): Promise<Omit<Observed, 'binaryIsCurrent'>> {
  const [defaultNetwork, conf, earlyConf, kubeconfig] = await Promise.all([
    findDefaultNetwork(paths.confFolder),
    readIfThere(paths.conf),
    readIfThere(paths.earlyConf),
    readIfPrivate(paths.kubeconfig),
  ])
  return { defaultNetwork, conf, earlyConf, kubeconfig }
}

/** The first network of a folder that is neither ours nor leads to us. */
export async function findDefaultNetwork(folder: string): Promise<DefaultNetwork> {
  const passed = new Set([confName, earlyConfName])
  for (;;) {
    const faults: { path: string; message: string }[] = []
    const found = await readFirstConf(folder, {
      skip: name => passed.has(name),
      onFault: (path, error) => faults.push({ path, message: messageOf(error) }),
    })
    const [fault] = faults
    // Half-written more often than broken, and the one the node means: wrapping the next would be a guess.
    if (fault !== undefined) return { kind: 'unreadable', ...fault }
    if (found === undefined) return { kind: 'none' }
    if (!leadsToKactus(found.list)) return { kind: 'found', ...found }
    passed.add(basename(found.path))
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

async function readIfPrivate(path: string): Promise<string | undefined> {
  const text = await readIfThere(path)
  if (text === undefined) return undefined
  const { mode } = await stat(path)
  return (mode & 0o077) === 0 ? text : undefined
}

/** Whether an error says that a file is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
