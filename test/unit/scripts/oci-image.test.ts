import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, readFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { type OciArchive, writeOciArchive } from '../../../scripts/oci-image.ts'

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

interface Manifest {
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

interface Index {
  readonly manifests: readonly (Descriptor & { readonly platform: object; readonly annotations: object })[]
}

const config = { Entrypoint: ['/bin/a'], Cmd: ['b'] }
const platform = { os: 'linux', architecture: 'arm64' } as const

/** Two layers, with a link, a program and a deep folder. */
function makeFolder(t: Test): string {
  const folder = t.testdir({
    one: { bin: { a: 'program' }, etc: { passwd: 'root' }, lib: t.fixture('symlink', 'bin') },
    two: { opt: { deep: { er: 'text' } } },
  })
  chmodSync(join(folder, 'one/bin/a'), 0o700)
  return folder
}

function request(folder: string): OciArchive {
  const layers = [join(folder, 'one'), join(folder, 'two')]
  return { name: 'localhost/a/b:1.2', platform, layers, config, output: join(folder, 'out/image.tar') }
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function readEntry(archive: string, name: string): Buffer {
  return execFileSync('tar', ['-xOf', archive, `./${name}`], { maxBuffer: 1 << 26 })
}

function readBlob(archive: string, { digest, size }: Descriptor): Buffer {
  const bytes = readEntry(archive, `blobs/${digest.replace(':', '/')}`)
  if (`sha256:${hash(bytes)}` !== digest || bytes.length !== size) throw new Error(`${digest} is not what it says`)
  return bytes
}

function readJson<T>(archive: string, descriptor: Descriptor): T {
  return JSON.parse(readBlob(archive, descriptor).toString()) as T
}

t.test('the same files make the same bytes, whoever owns them and whenever they were made', async t => {
  const made: string[] = []
  for (const seconds of [1, 1_700_000_000]) {
    await t.test(`at ${seconds}`, async t => {
      const folder = makeFolder(t)
      for (const name of ['one/bin/a', 'one/etc/passwd', 'one', 'two/opt']) {
        utimesSync(join(folder, name), seconds, seconds)
      }
      chmodSync(join(folder, 'one/etc/passwd'), seconds === 1 ? 0o600 : 0o664)
      const { digest } = await writeOciArchive(request(folder))
      made.push(`${digest} ${hash(readFileSync(request(folder).output))}`)
    })
  }
  t.equal(made.length, 2)
  t.equal(made[0], made[1])
})

t.test('other files make another image', async t => {
  const folder = makeFolder(t)
  const one = await writeOciArchive(request(folder))
  chmodSync(join(folder, 'one/etc/passwd'), 0o755)
  const other = await writeOciArchive(request(folder))
  t.not(one.digest, other.digest, 'an x bit counts')
})

t.test('every blob is what its digest says, from the index down to the files', async t => {
  const wanted = request(makeFolder(t))
  const { digest, layerBytes } = await writeOciArchive(wanted)
  const index = JSON.parse(readEntry(wanted.output, 'index.json').toString()) as Index
  const [entry] = index.manifests
  if (entry === undefined) throw new Error('the index is empty')
  t.equal(entry.digest, digest)
  t.match(entry.annotations, { 'io.containerd.image.name': wanted.name, 'org.opencontainers.image.ref.name': '1.2' })
  t.same(entry.platform, platform)
  const manifest = readJson<Manifest>(wanted.output, entry)
  const image = readJson<{ config: object; rootfs: { diff_ids: string[] } }>(wanted.output, manifest.config)
  t.match(image, { ...platform, config })
  const layers = manifest.layers.map(layer => gunzipSync(readBlob(wanted.output, layer)))
  t.same(
    image.rootfs.diff_ids,
    layers.map(layer => `sha256:${hash(layer)}`),
  )
  t.same(
    layerBytes,
    manifest.layers.map(({ size }) => size),
  )
  const listed = execFileSync('tar', ['-tv', '--numeric-owner'], {
    input: layers[0],
    env: { ...process.env, TZ: 'UTC' },
  })
  const lines = listed.toString().trim().split('\n')
  t.same(
    lines.map(line => line.replaceAll(/\s+/g, ' ')),
    [
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 ./',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 ./bin/',
      '-rwxr-xr-x 0/0 7 1970-01-01 00:00 ./bin/a',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 ./etc/',
      '-rw-r--r-- 0/0 4 1970-01-01 00:00 ./etc/passwd',
      'lrwxr-xr-x 0/0 0 1970-01-01 00:00 ./lib -> bin',
    ],
  )
})

for (const name of ['localhost/a', 'a:', ':1', '', 'host:5000/a']) {
  t.test(`the name "${name}" is refused`, async t => {
    const wanted = request(makeFolder(t))
    await t.rejects(writeOciArchive({ ...wanted, name }), { message: /a name with a tag/ })
    t.throws(() => readFileSync(wanted.output), { code: 'ENOENT' }, 'and nothing is left')
  })
}

for (const name of ['a:1', 'host:5000/a:1.0', 'localhost/nopal:0.1.0-rc.1']) {
  t.test(`the name "${name}" is taken`, async t => {
    await t.resolves(writeOciArchive({ ...request(makeFolder(t)), name }))
  })
}
