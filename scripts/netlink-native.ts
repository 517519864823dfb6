import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Arch } from './registry-package.ts'

const cpus: Readonly<Record<Arch, string>> = { amd64: 'x64', arm64: 'arm64' }

/** File beside the agent's bundle with the native part of package `netlink` for a CPU. */
export function netlinkFile(arch: Arch): string {
  return `netlink-${cpus[arch]}.node`
}

/** The package looks for its native part below its own folder, which a bundle has not: this looks beside the bundle. */
export const netlinkBesideTheAgent: Record<string, string> = {
  'node-gyp-build': join(import.meta.dirname, 'load-netlink.cjs'),
}

/** Puts the native parts, as the package brings them, into a folder. */
export async function copyNetlink(root: string, folder: string): Promise<void> {
  for (const arch of ['amd64', 'arm64'] as const) {
    const built = join(root, `node_modules/netlink/prebuilds/linux-${cpus[arch]}/node.napi.node`)
    const file = join(folder, netlinkFile(arch))
    // An agent may have it loaded: written over in place, the library would change below it and end it by SIGSEGV.
    await rm(file, { force: true })
    await copyFile(built, file)
  }
}
