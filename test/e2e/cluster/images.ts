import { createHash } from 'node:crypto'
import { access, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type ImageConfig, writeOciArchive } from '../../../scripts/oci-image.ts'
import { runCommand } from '../../machine/command.ts'
import { pauseImage } from './node-config.ts'

/** Names of the images every node of the cluster has. */
export const images = {
  pause: pauseImage,
  busybox: 'localhost/nopal-test/busybox:1',
  coredns: 'localhost/nopal-test/coredns:1',
} as const

const busyboxProgram = '/bin/busybox'

/** How an image is made. */
interface Recipe {
  readonly name: string
  readonly config: ImageConfig
  fill(root: string): Promise<void>
}

/** Paths of the images' archives; made where the cache lacks them. */
export async function findImages(cache: string, coredns: string): Promise<readonly string[]> {
  const bytes = await Promise.all([busyboxProgram, coredns, import.meta.filename].map(file => readFile(file)))
  const hash = createHash('sha256').update(Buffer.concat(bytes)).digest('hex').slice(0, 12)
  const folder = join(cache, `e2e-images-${hash}`)
  return await Promise.all(recipes(coredns).map(recipe => findImage(folder, recipe)))
}

function recipes(coredns: string): Recipe[] {
  return [
    // SIGKILL ends it: a sandbox is never asked politely.
    { name: images.pause, config: { Entrypoint: ['/bin/sleep', '2147483647'] }, fill: fillWithBusybox },
    { name: images.busybox, config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] }, fill: fillWithBusybox },
    {
      name: images.coredns,
      config: { Entrypoint: ['/coredns'] },
      fill: root => copyFile(coredns, join(root, 'coredns')),
    },
  ]
}

/** Path of an image's archive in that folder; made where it is not there. */
export async function findImage(folder: string, recipe: Recipe): Promise<string> {
  const output = join(folder, `${recipe.name.replace(/.*\//, '').replace(':', '-')}.tar`)
  const there = await access(output).then(
    () => true,
    () => false,
  )
  if (there) return output
  await mkdir(folder, { recursive: true })
  const root = await mkdtemp(join(folder, '.root-'))
  try {
    await recipe.fill(root)
    const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' } as const
    await writeOciArchive({ name: recipe.name, platform, layers: [root], config: recipe.config, output })
  } finally {
    await rm(root, { recursive: true, force: true })
  }
  return output
}

/** One static program under the names of all the programs it can be. */
export async function fillWithBusybox(root: string): Promise<void> {
  const names = (await runCommand([busyboxProgram, '--list']))
    .split('\n')
    .filter(name => name !== '' && name !== 'busybox')
  await mkdir(join(root, 'bin'))
  await copyFile(busyboxProgram, join(root, 'bin/busybox'))
  await Promise.all(names.map(name => symlink('busybox', join(root, 'bin', name))))
  await write(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n')
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}
