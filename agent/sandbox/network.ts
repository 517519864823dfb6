import { basename } from 'node:path'
import type { ConfList } from '../../cni/spec/conf.ts'
import { readFirstConf } from '../../cni/spec/conf-folder.ts'
import { printJson } from '../../cni/spec/json.ts'
import { followLinks } from '../runtime/host-root.ts'
import type { AttachmentOptions } from './attachment.ts'
import { SandboxError } from './errors.ts'
import type { SandboxPaths } from './paths.ts'
import { readRecords } from './record.ts'
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

/**
 * What another network has kept, one that was taken away for instance, uses up nothing of this one.
 * @throws SandboxError SandboxRefused where earlier sandboxes are still attached
 */
export async function makeRoom(options: AttachmentOptions, list: ConfList, signal: AbortSignal): Promise<void> {
  const { recordFolder } = options.paths
  const network = describeNetwork(list)
  const countLeft = async () =>
    (await readRecords(recordFolder)).filter(({ record }) => record && describeNetwork(record.list) === network).length
  if ((await countLeft()) <= mostLeft) return
  const words = await sweepSandboxes({ ...options, signal })
  if ((await countLeft()) <= mostLeft) return
  const why = words === undefined ? '' : `: ${words}`
  throw new SandboxError(
    'SandboxRefused',
    `network ${list.name}: more than ${mostLeft} sandboxes could not be detached${why}`,
  )
}
