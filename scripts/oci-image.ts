import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const run = promisify(execFile)
const compress = promisify(gzip)

/** All times in an image, so that the same files make the same bytes. */
const epoch = new Date(0).toISOString()

export interface Platform {
  readonly os: 'linux'
  readonly architecture: 'amd64' | 'arm64'
}

/** What a runtime does with the image, in the words of the OCI image specification. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Env?: readonly string[]
  readonly User?: string
  readonly WorkingDir?: string
  readonly ExposedPorts?: Readonly<Record<string, object>>
  readonly Labels?: Readonly<Record<string, string>>
}

export interface OciArchive {
  /** Full reference with tag: `localhost/nopal:0.1.0`. */
  readonly name: string
  readonly platform: Platform
  /** Folders, each the root of one layer, lowest first. Their owners and times do not count; links stay links. */
  readonly layers: readonly string[]
  readonly config: ImageConfig
  /** The archive to write, whole or not at all. */
  readonly output: string
}

export interface WrittenImage {
  /** Digest of the manifest: the image's identity. */
  readonly digest: string
  /** What a node downloads and stores: sizes of the compressed layers, lowest first. */
  readonly layerBytes: readonly number[]
}

/** What a manifest says of a blob. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

interface PackedLayer extends Descriptor {
  /** Digest of the layer before compression. */
  readonly diffId: string
}

/** Writes an image as an OCI archive, which `ctr images import` and `podman load` take. Needs no root and no daemon. */
export async function writeOciArchive(archive: OciArchive): Promise<WrittenImage> {
  await mkdir(dirname(archive.output), { recursive: true })
  const work = await mkdtemp(`${archive.output}.`)
  try {
    const layout = join(work, 'layout')
    await mkdir(join(layout, 'blobs/sha256'), { recursive: true })
    const written = await writeLayout(layout, archive)
    const tar = join(work, 'image.tar')
    await writeFile(tar, await packFolder(layout))
    await rename(tar, archive.output)
    return written
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function writeLayout(layout: string, { name, platform, layers, config }: OciArchive): Promise<WrittenImage> {
  const packed: PackedLayer[] = []
  for (const folder of layers) packed.push(await writeLayer(layout, folder))
  const image = await writeJson(layout, 'application/vnd.oci.image.config.v1+json', {
    created: epoch,
    ...platform,
    config,
    rootfs: { type: 'layers', diff_ids: packed.map(layer => layer.diffId) },
    history: packed.map(() => ({ created: epoch })),
  })
  const manifest = await writeJson(layout, 'application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: image,
    layers: packed.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  })
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [{ ...manifest, platform, annotations: nameAnnotations(name) }],
  }
  await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  await writeFile(join(layout, 'index.json'), JSON.stringify(index))
  return { digest: manifest.digest, layerBytes: packed.map(layer => layer.size) }
}

/** containerd reads the full name from its own annotation; the standard one holds the tag alone. */
function nameAnnotations(name: string): Record<string, string> {
  const [, tag] = /^[^:]+(?::\d+\/[^:]+)?:([\w.-]+)$/.exec(name) ?? []
  if (tag === undefined) throw new Error(`an image needs a name with a tag, not "${name}"`)
  return { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': tag }
}

async function writeLayer(layout: string, folder: string): Promise<PackedLayer> {
  const plain = await packFolder(folder)
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip'
  return { ...(await writeBlob(layout, mediaType, await compress(plain))), diffId: digestOf(plain) }
}

/** Adds a document to the blobs of a layout. */
export function writeJson(layout: string, mediaType: string, value: unknown): Promise<Descriptor> {
  return writeBlob(layout, mediaType, Buffer.from(JSON.stringify(value)))
}

async function writeBlob(layout: string, mediaType: string, bytes: Buffer): Promise<Descriptor> {
  const digest = digestOf(bytes)
  await writeFile(join(layout, 'blobs', digest.replace(':', '/')), bytes)
  return { mediaType, digest, size: bytes.length }
}

/** Order, owner, time and permissions come from here and not from the machine: only names, content and x bits count. */
export async function packFolder(folder: string): Promise<Buffer> {
  const options = ['--format=ustar', '--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner']
  const { stdout } = await run(
    'tar',
    ['-c', ...options, '--mode=u=rwX,go=rX', '--hard-dereference', '-C', folder, '.'],
    {
      encoding: 'buffer',
      env: { ...process.env, LC_ALL: 'C' },
      maxBuffer: Number.POSITIVE_INFINITY,
    },
  )
  return stdout
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
