import { closeSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { insideSharedFolder, removeIfEmpty } from './registry.ts'
import type { LabRun } from './run.ts'

/** Where `ip -n NAME` looks for namespaces. */
export const namespaceFolder = '/run/netns'

/**
 * Makes a named network namespace with its loopback up.
 * Not `ip netns add`: that one also mounts the folder over itself, which nobody takes away again.
 */
export async function makeNamespace(run: LabRun, name: string): Promise<void> {
  const file = join(namespaceFolder, name)
  insideSharedFolder(namespaceFolder, () => closeSync(openSync(file, 'wx', 0o444)))
  await run.must(['unshare', `--net=${file}`, 'true'])
  await run.must(['ip', '-n', name, 'link', 'set', 'lo', 'up'])
}

/** Removes a namespace; one that is gone, or was never finished, is fine. */
export async function removeNamespace(run: LabRun, name: string): Promise<void> {
  const file = join(namespaceFolder, name)
  await run.run(['umount', file])
  rmSync(file, { force: true })
  removeIfEmpty(namespaceFolder)
}

/** Feeds commands to `ip` in one namespace, in one process. */
export async function ipBatch(run: LabRun, namespace: string, lines: readonly string[]): Promise<void> {
  await run.must(['ip', '-n', namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` })
}

/** argv that runs a program in a namespace, with our own file system. */
export function inNamespace(name: string, argv: readonly string[]): string[] {
  return ['nsenter', `--net=${join(namespaceFolder, name)}`, '--', ...argv]
}
