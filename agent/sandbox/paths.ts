import { join } from 'node:path'
import type { InstallSettings } from '../config/settings.ts'
import { onHost } from '../runtime/host-root.ts'

/** Where the host's network and our records of sandboxes lie, as this process sees them. */
export interface SandboxPaths {
  /** Empty = this process sees the host's files as the host does. */
  readonly hostRoot: string
  /** The folder of plugins as the plugins see it. */
  readonly binDirOnHost: string
  readonly binFolder: string
  readonly confFolder: string
  readonly recordFolder: string
  readonly lockFolder: string
}

/** Beside the state of the plugins: a record is worth as long as the addresses they have given out. */
const recordsOnHost = '/var/lib/cni/nopal/sandboxes'

/** Links on the host are followed as they are at this moment. */
export function sandboxPaths(settings: Pick<InstallSettings, 'cniBinDir' | 'cniConfDir' | 'hostRoot'>): SandboxPaths {
  const { hostRoot, cniBinDir, cniConfDir } = settings
  const here = onHost(hostRoot)
  return {
    hostRoot,
    binDirOnHost: cniBinDir,
    binFolder: here(cniBinDir),
    confFolder: here(cniConfDir),
    recordFolder: here(recordsOnHost),
    lockFolder: here(join(recordsOnHost, 'locks')),
  }
}
