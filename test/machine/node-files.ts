import { copyFile, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Where Debian's package of CNI plugins puts them. */
export const debianPlugins = '/usr/lib/cni'

/**
 * Shell that gives a new mount namespace folders of its own, which are below FOLDER/files; its /run is in memory. The
 * overlays make room for folders that this machine lacks.
 */
export function ownFolders(folder: string, own: readonly string[]): string {
  return `
mkdir -p ${folder}/layers
mount -t tmpfs -o mode=0755 nopal ${folder}/layers
for top in etc opt var/lib var/log; do
  layer=${folder}/layers/$(echo $top | tr / -)
  mkdir -p $layer/upper $layer/work
  mount -t overlay -o lowerdir=/$top,upperdir=$layer/upper,workdir=$layer/work nopal /$top
done
mount -t tmpfs -o mode=0755 nopal /run
rm -f /etc/resolv.conf
for own in ${own.join(' ')}; do
  mkdir -p ${folder}/files$own $own
  mount --bind ${folder}/files$own $own
done
echo 1 >/proc/sys/net/ipv4/ip_forward
`
}

/** Gives a node plugins. Copies, because nopal puts files beside them and may replace what is there. */
export async function copyPlugins(folder: string, names?: readonly string[]): Promise<void> {
  const bin = join(folder, 'files/opt/cni/bin')
  await mkdir(bin, { recursive: true })
  const copies = names ?? (await readdir(debianPlugins))
  await Promise.all(copies.map(name => copyFile(join(debianPlugins, name), join(bin, name))))
}
