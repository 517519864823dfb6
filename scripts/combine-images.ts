import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { type Descriptor, packFolder, writeJson } from './oci-image.ts'

const run = promisify(execFile)

/** What index.json of an archive says of the image in it. */
interface ImageDescriptor extends Descriptor {
  readonly platform: { readonly architecture: string }
  /** Its name. */
  readonly annotations: Readonly<Record<string, string>>
}

interface CombinedImage {
  /** Digest of the index: what a registry calls the image of all CPUs. */
  readonly index: string
  /** Digest of each CPU's own manifest, by CPU. */
  readonly manifests: Readonly<Record<string, string>>
}

const indexType = 'application/vnd.oci.image.index.v1+json'

/** Makes one OCI archive of those of several CPUs: one image, of which every node takes what fits it. */
export async function combineImages(archives: readonly string[], output: string): Promise<CombinedImage> {
  const work = await mkdtemp(`${output}.`)
  try {
    const layout = join(work, 'layout')
    await mkdir(layout)
    const images = await Promise.all(archives.map(archive => unpack(archive, layout)))
    const manifests = images.map(({ annotations: _, ...image }) => image)
    const index = await writeJson(layout, indexType, { schemaVersion: 2, mediaType: indexType, manifests })
    const top = { ...index, annotations: images[0]?.annotations }
    const text = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [top] })
    await writeFile(join(layout, 'index.json'), text)
    await writeFile(join(work, 'image.tar'), await packFolder(layout))
    await rename(join(work, 'image.tar'), output)
    const digests = images.map(({ platform, digest }) => [platform.architecture, digest] as const)
    return { index: index.digest, manifests: Object.fromEntries(digests) }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Blobs have their digests for names, so those of two archives go into one folder. */
async function unpack(archive: string, layout: string): Promise<ImageDescriptor> {
  await run('tar', ['-x', '-f', archive, '-C', layout, '--exclude=./index.json'])
  const { stdout } = await run('tar', ['-x', '-f', archive, '-O', './index.json'])
  const [image] = (JSON.parse(stdout) as { readonly manifests: readonly ImageDescriptor[] }).manifests
  if (image === undefined) throw new Error(`there is no image in ${archive}`)
  return image
}

if (import.meta.main) {
  const { positionals, values } = parseArgs({ options: { output: { type: 'string' } }, allowPositionals: true })
  const { index, manifests } = await combineImages(positionals, values.output ?? '')
  const lines = Object.entries({ index, ...manifests }).map(([name, digest]) => `${name}=${digest}\n`)
  process.stdout.write(lines.join(''))
}
