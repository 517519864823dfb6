import type { LabNode } from './node.ts'

/** Folders in which plugins, kactus and the runtime remember attachments. */
const memory = '/var/lib/cni'

/** The files on a node that know a container, by name or by content: addresses given out, records, results. */
export async function rememberedOf(node: LabNode, containerId: string): Promise<string[]> {
  const search = `grep -rlF "$1" ${memory}; find ${memory} -name "*$1*"`
  const { stdout } = await node.exec(['sh', '-c', search, 'sh', containerId])
  return [...new Set(stdout.split('\n').filter(line => line !== ''))].sort()
}
