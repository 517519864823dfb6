import { join } from 'node:path'
import type { LabRun } from './run.ts'

/** Where `ip -n NAME` looks for namespaces. */
export const namespaceFolder = '/run/netns'

const script = join(import.meta.dirname, 'namespaces.sh')

/** Makes named network namespaces with their loopback up. */
export async function makeNamespaces(run: LabRun, names: readonly string[]): Promise<void> {
  await run.must(['sh', script, 'make', ...names])
}

/** Removes namespaces; one that is gone, or was never finished, is fine. */
export async function removeNamespaces(run: LabRun, names: readonly string[]): Promise<void> {
  await run.must(['sh', script, 'remove', ...names])
}

/** Feeds commands to `ip` in one namespace, in one process. */
export async function ipBatch(run: LabRun, namespace: string, lines: readonly string[]): Promise<void> {
  await run.must(['ip', '-n', namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` })
}

/** argv that runs a program in a namespace, with our own file system. */
export function inNamespace(name: string, argv: readonly string[]): string[] {
  return ['nsenter', `--net=${join(namespaceFolder, name)}`, '--', ...argv]
}
