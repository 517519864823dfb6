import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Settings } from '../../config/settings.ts'
import type { Clock } from '../../runtime/clock.ts'
import { onHost } from '../../runtime/host-root.ts'
import type { ClusterDns, PodDns } from './cluster-dns.ts'
import { type HostFiles, readKubeletDns } from './kubelet-dns.ts'

/** kubelet has to be started anew for another configuration. */
const keptMs = 60_000

/** The name servers that pods get: those of the settings, else kubelet's. */
export function createPodDns({ install, verify }: Settings, clock: Pick<Clock, 'monotonic'>): PodDns {
  const files = hostFiles(install.hostRoot)
  let known: { readonly dns: Promise<ClusterDns>; readonly readMs: number } | undefined
  return async () => {
    const nowMs = clock.monotonic()
    if (known === undefined || nowMs - known.readMs > keptMs)
      known = { dns: readKubeletDns(files, install.kubeletDir), readMs: nowMs }
    const { domain, servers } = await known.dns
    return { domain, servers: verify.clusterDns.length > 0 ? verify.clusterDns : servers }
  }
}

function hostFiles(hostRoot: string): HostFiles {
  const here = onHost(hostRoot)
  const networkOf = (process: string) => readlink(`${process}/ns/net`)
  return {
    read: async path => readFile(here(path), 'utf8'),
    list: async folder => readdir(here(folder)),
    async isElsewhere(pid) {
      const theirs = await networkOf(join(hostRoot, '/proc', pid)).catch(() => undefined)
      return theirs !== undefined && theirs !== (await networkOf('/proc/self'))
    },
  }
}
