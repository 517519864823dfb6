import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { InstallSettings } from '../../../../agent/config/settings.ts'

/** What t.testdir takes for a host with a default network and an executable to copy. */
export const freshHost = {
  image: { kactus: 'the executable' },
  host: {
    etc: {
      cni: { 'net.d': { '10-cbr0.conflist': '{"cniVersion":"1.0.0","name":"cbr0","plugins":[{"type":"bridge"}]}' } },
    },
    opt: { cni: { bin: { bridge: 'a plugin' } } },
    var: { lib: { cni: {} } },
  },
}

/** Settings that put the host's folders below a test's folder. */
export function settingsIn(folder: string): InstallSettings {
  return {
    enabled: true,
    cniBinDir: '/opt/cni/bin',
    cniConfDir: '/etc/cni/net.d',
    hostRoot: join(folder, 'host'),
    kubeletDir: '/var/lib/kubelet',
    allowedPlugins: [],
  }
}

/** Every file below a folder, by relative path. */
export async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => !entry.isDirectory())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted()
}

/** What a host has once kactus is installed. */
export const installedFiles = [
  'etc/cni/net.d/05-kactus.conflist',
  'etc/cni/net.d/10-cbr0.conflist',
  'etc/cni/net.d/kactus.d/kactus-kubeconfig.yaml',
  'opt/cni/bin/bridge',
  'opt/cni/bin/kactus',
]

/** The files of a host before anything was installed. */
export const freshFiles = ['etc/cni/net.d/10-cbr0.conflist', 'opt/cni/bin/bridge']

/** The node's default network gets another name. */
export async function renameNetwork(folder: string, name: string): Promise<void> {
  const path = join(folder, 'host/etc/cni/net.d/10-cbr0.conflist')
  const before = await readFile(path, 'utf8')
  await writeFile(path, before.replace(/"name":"[^"]*"/, `"name":"${name}"`))
}
