import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { callerEnv, runCommand } from '../machine/command.ts'
import { buildImage, type ImageArch, ownArch } from './product.ts'

interface Descriptor {
  readonly digest: string
  readonly size: number
}

/** An image's layers, one over the other in a folder, and what it says of itself. */
interface Unpacked {
  readonly root: string
  readonly config: { readonly architecture: string; readonly config: object }
  readonly bytes: number
}

async function unpack(t: Test, archive: string): Promise<Unpacked> {
  const folder = t.testdir({ layout: {}, root: {} })
  const [layout, root] = [join(folder, 'layout'), join(folder, 'root')]
  await runCommand(['tar', '-xf', archive, '-C', layout])
  const blob = (name: string) => join(layout, 'blobs', name.replace(':', '/'))
  const read = async (name: string) => JSON.parse(await readFile(name, 'utf8'))
  const [entry] = (await read(join(layout, 'index.json'))).manifests as readonly Descriptor[]
  const manifest = await read(blob(entry?.digest ?? ''))
  const layers = manifest.layers as readonly Descriptor[]
  for (const { digest } of layers) await runCommand(['tar', '-xzf', blob(digest), '-C', root])
  const bytes = layers.reduce((sum, { size }) => sum + size, 0)
  return { root, config: await read(blob(manifest.config.digest)), bytes }
}

/** The CPU that a program or library is made for, by the header of its file; undefined for anything else. */
async function cpuOf(file: string): Promise<string | undefined> {
  const head = (await readFile(file)).subarray(0, 20)
  if (head.subarray(1, 4).toString() !== 'ELF') return undefined
  return { 62: 'amd64', 183: 'arm64' }[head.readUInt16LE(18)] ?? 'another'
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
}

const architectures: readonly ImageArch[] = ['amd64', 'arm64']

for (const arch of architectures) {
  t.test(`the image for ${arch}: programs of that CPU, and no shell`, async t => {
    const { root, config, bytes } = await unpack(t, await buildImage(arch))
    t.match(config, { architecture: arch, config: { Cmd: ['agent'] } })
    const files = await filesBelow(root)
    const programs = (await Promise.all(files.map(async file => ({ file, cpu: await cpuOf(file) })))).filter(
      ({ cpu }) => cpu !== undefined,
    )
    t.same([...new Set(programs.map(({ cpu }) => cpu))], [arch])
    const runnable = programs.map(({ file }) => file.slice(root.length)).filter(file => !file.includes('/lib'))
    const netlink = `/opt/nopal/netlink-${arch === 'amd64' ? 'x64' : arch}.node`
    const ofSystem = ['nft', 'node', 'unshare', 'wg'].map(name => `/usr/bin/${name}`)
    t.same(runnable.sort(), ['/opt/nopal/kactus', netlink, ...ofSystem])
    const unpacked = (await Promise.all(files.map(async file => (await stat(file)).size))).reduce(
      (sum, one) => sum + one,
    )
    t.comment(`${(bytes / 1e6).toFixed(0)} MB to download, ${(unpacked / 1e6).toFixed(0)} MB unpacked`)
    if (arch !== ownArch) return
    // As they stand, with the image's own libraries. tap gives every program that is started a NODE_OPTIONS.
    const run = (...argv: readonly string[]) => runCommand(['env', '-u', 'NODE_OPTIONS', 'chroot', root, ...argv])
    t.match(await run('/usr/bin/nopal', '--version'), /^\d+\.\d+\.\d+\n$/)
    t.match(config, { config: { Entrypoint: ['/usr/bin/nopal'], Env: ['PATH=/usr/bin'] } }, 'which is on PATH')
    t.match(await run('/usr/bin/unshare', '--version'), /util-linux/)
    t.match(await run('/usr/bin/wg', '--version'), /wireguard-tools/)
    const table = `table inet nopal_mesh {
      chain output { type filter hook output priority filter; udp sport { 51821 } ip daddr { 10.42.1.0/24 } drop; }
    }\n`
    // With no more rights than the DaemonSet gives.
    const rights = ['--no-new-privs', '--inh-caps=-all', '--bounding-set=-all,+net_admin,+sys_chroot']
    const inside = 'chroot "$0" nft "$1" && exec chroot "$0" nft list ruleset'
    const bounded = ['setpriv', ...rights, 'env', 'PATH=/usr/sbin:/usr/bin', 'sh', '-c', inside, root, table]
    const made = await runCommand(['unshare', '--net', ...bounded])
    t.match(made, 'udp sport 51821 ip daddr 10.42.1.0/24 drop')
  })
}

t.test('built again from the same sources it is the same image, byte for byte', async t => {
  const digests: string[] = []
  for (const umask of [0o022, 0o077]) {
    const before = process.umask(umask)
    try {
      await runCommand([join(import.meta.dirname, '../../build.sh')], { env: callerEnv })
      digests.push(await digestOf(await buildImage()))
    } finally {
      process.umask(before)
    }
  }
  t.equal(digests[0], digests[1])
})

async function digestOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
}
