import { createHash } from 'node:crypto'
import { copyFile, cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fillWithBusybox, findImage, images } from '../e2e/cluster/images.ts'
import { importImages } from '../e2e/cluster/node.ts'
import { runCommand } from '../machine/command.ts'
import type { Machine } from '../machine/machine.ts'

/** The one image that stands in for all but the pause image. */
const specsImage = 'localhost/nopal-test/specs:1'

/** Images of the suite, by the last part of their names, that its specs of networks run. */
const wanted: ReadonlyMap<string, string> = new Map([
  ['agnhost', specsImage],
  ['busybox', specsImage],
  ['jessie-dnsutils', specsImage],
  ['nginx', specsImage],
  ['pause', images.pause],
])

/** Programs of this machine, from Debian's packages, where busybox has none or a lesser one. */
const programs: Readonly<Record<string, string>> = {
  sh: '/bin/dash',
  ip: '/bin/ip',
  getent: '/usr/bin/getent',
  dig: '/usr/bin/dig',
  nslookup: '/usr/bin/nslookup',
  curl: '/usr/bin/curl',
  wget: '/usr/bin/wget',
  nc: '/bin/nc.openbsd',
}

/** A name under which the suite asks for an image, and what it gets. */
export interface Alias {
  readonly name: string
  readonly image: string
}

/** Picks out of all images that the suite may use (`e2e.test --list-images`) those that its specs of networks do. */
export function aliasesOf(listed: string): readonly Alias[] {
  return listed.split('\n').flatMap(name => {
    const image = wanted.get(/([^/:]+):[^/:]+$/.exec(name)?.[1] ?? '')
    return image === undefined ? [] : [{ name, image }]
  })
}

/**
 * Path of the image's archive; made where the cache lacks it.
 * @param agnhost path of the program
 */
export async function findSpecsImage(cache: string, agnhost: string): Promise<string> {
  const libraries = await librariesOf(Object.values(programs))
  const files = [agnhost, ...Object.values(programs), ...libraries, import.meta.filename]
  const bytes = await Promise.all(files.map(file => readFile(file)))
  const hash = createHash('sha256').update(Buffer.concat(bytes)).digest('hex').slice(0, 12)
  return await findImage(join(cache, `specs-image-${hash}`), {
    name: specsImage,
    config: { Entrypoint: ['/agnhost'], Cmd: ['pause'], Env: ['PATH=/bin'] },
    fill: root => fill(root, agnhost, libraries),
  })
}

/** Gives a node the image, and each image the names that the suite has for it. */
export async function giveSpecsImages(machine: Machine, archive: string, aliases: readonly Alias[]): Promise<void> {
  await importImages(machine, [archive])
  for (const { name, image } of aliases) await machine.run(['ctr', '-n', 'k8s.io', 'images', 'tag', image, name])
}

async function fill(root: string, agnhost: string, libraries: readonly string[]): Promise<void> {
  await fillWithBusybox(root)
  for (const [name, path] of Object.entries(programs)) {
    await rm(join(root, 'bin', name), { force: true })
    await copyFile(path, join(root, 'bin', name))
  }
  for (const path of libraries) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await cp(path, join(root, path), { dereference: true })
  }
  await copyFile(agnhost, join(root, 'agnhost'))
  await symlink('agnhost', join(root, 'agnhost-2'))
  for (const folder of ['tmp', 'uploads']) await mkdir(join(root, folder))
  await writeFile(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n')
  await runCommand([...selfSigned, '-keyout', join(root, 'localhost.key'), '-out', join(root, 'localhost.crt')])
}

/** What agnhost serves TLS with; nobody checks it. */
const selfSigned = 'openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost'.split(' ')

/** Paths of what the programs are linked with, their loader included. */
async function librariesOf(paths: readonly string[]): Promise<readonly string[]> {
  const texts = await Promise.all(paths.map(path => runCommand(['ldd', path])))
  return [...new Set(texts.join('').match(/\/\S+(?= \(0x)/g))].sort()
}
