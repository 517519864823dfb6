import { basename } from 'node:path'
import type { ConfList } from '../../cni/spec/conf.ts'
import { readFirstConf } from '../../cni/spec/conf-folder.ts'
import { printJson } from '../../cni/spec/json.ts'
import { followLinks } from '../runtime/host-root.ts'
import type { AttachmentOptions } from './attachment.ts'
import { SandboxError } from './errors.ts'
import type { SandboxPaths } from './paths.ts'
import { countRecords } from './record.ts'
import { sweepSandboxes } from './sweep.ts'

/** More that could not be taken down, and the network does not let go of what it attaches: more would use it up. */
const mostLeft = 10

/**
 * The network a runtime would use: the first file of the folder that is one.
 * @throws SandboxError NoNetwork
 */
export async function findNetwork({ confFolder, hostRoot }: SandboxPaths): Promise<ConfList> {
  const faults: string[] = []
  const found = await readFirstConf(confFolder, {
    follow: followLinks(hostRoot),
    onFault: path => faults.push(basename(path)),
  })
  if (found !== undefined) return found.list
  const detail = faults.length === 0 ? '' : ` (no network: ${faults.join(', ')})`
  throw new SandboxError('NoNetwork', `there is no CNI network in ${confFolder}${detail}`)
}

/** The same for two networks only where a sandbox would be attached alike. */
export function describeNetwork({ name, cniVersion, plugins }: ConfList): string {
  return printJson({ name, cniVersion, plugins: [...plugins] })
}

/** @throws SandboxError SandboxRefused where earlier sandboxes are still attached */
export async function makeRoom(options: AttachmentOptions, list: ConfList, signal: AbortSignal): Promise<void> {
  const { recordFolder } = options.paths
  if ((await countRecords(recordFolder)) <= mostLeft) return
  await sweepSandboxes({ ...options, signal })
  if ((await countRecords(recordFolder)) <= mostLeft) return
  throw new SandboxError(
    'SandboxRefused',
    `network ${list.name}: more than ${mostLeft} sandboxes could not be detached`,
  )
}
