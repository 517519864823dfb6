import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { type BuildOptions, build } from 'esbuild'
import { messageOf } from '../cni/host/system-error.ts'
import { besideTheAgent, clientNodeFile, clientNodeOptions } from './client-node.ts'
import { copyNetlink, netlinkBesideTheAgent } from './netlink-native.ts'
import { packWithBun } from './pack-bun.ts'
import { packWithPkg } from './pack-pkg.ts'
import { setStart } from './program-start.ts'
import type { Arch } from './registry-package.ts'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const hostArch = process.arch === 'arm64' ? 'arm64' : 'amd64'

interface Wish {
  readonly packager: 'bun' | 'pkg'
  readonly arch: Arch
}

function readWish(args: readonly string[]): Wish {
  const { values } = parseArgs({
    args: [...args],
    options: { packager: { type: 'string', default: 'bun' }, arch: { type: 'string', default: hostArch } },
  })
  const { packager, arch } = values
  if (packager !== 'bun' && packager !== 'pkg') throw new Error(`--packager is bun or pkg, not "${packager}"`)
  if (arch !== 'amd64' && arch !== 'arm64') throw new Error(`--arch is amd64 or arm64, not "${arch}"`)
  if (packager === 'pkg' && arch !== hostArch) throw new Error('--packager pkg builds for the own architecture only')
  return { packager, arch }
}

/** CommonJS, because importing a module of Node as ESM evaluates all of it, and costs the agent 8 MB. */
async function bundleAgent(version: string, outfile: string): Promise<readonly string[]> {
  // The checkout's own package.json calls every .js file ESM.
  await writeFile(join(dist, 'package.json'), '{ "type": "commonjs" }\n')
  const inputs = await bundle({
    entryPoints: [join(root, 'agent/main.ts')],
    outfile,
    // Half the text to keep in memory. What a stack trace says of it is found by the map beside it.
    minify: true,
    sourcemap: 'external',
    plugins: [besideTheAgent],
    alias: netlinkBesideTheAgent,
    define: { NOPAL_VERSION: JSON.stringify(version), 'import.meta.dirname': '__dirname' },
  })
  await mustBeAscii(outfile)
  return inputs
}

/**
 * V8 keeps a text that has one letter of another kind at two bytes a letter: 1.2 MB more for each agent. esbuild escapes
 * such letters everywhere but in tagged templates.
 */
async function mustBeAscii(file: string): Promise<void> {
  const lines = (await readFile(file, 'utf8')).split('\n')
  const line = lines.find(each => /[^\p{ASCII}]/u.test(each))
  if (line !== undefined) throw new Error(`a letter in a tagged template is not ASCII: ${line.trim().slice(0, 200)}`)
}

interface KactusBundle {
  /** The file to begin with. */
  readonly entry: string
  /** All files that are in it. */
  readonly inputs: readonly string[]
}

/**
 * For Bun in pieces, so that a run loads only what its command needs; else one CommonJS file, as the main of a single
 * executable must be.
 */
async function bundleKactus(version: string, work: string, packager: Wish['packager']): Promise<KactusBundle> {
  const options = { minify: true, define: { NOPAL_VERSION: JSON.stringify(version) } }
  const inPieces: BuildOptions = { format: 'esm', splitting: true, outdir: work }
  const whole: BuildOptions = { outfile: join(work, 'main.cjs') }
  const inputs = await bundle({
    entryPoints: [join(root, 'cni/kactus/main.ts')],
    ...options,
    ...(packager === 'bun' ? inPieces : whole),
  })
  return { entry: join(work, packager === 'bun' ? 'main.js' : 'main.cjs'), inputs }
}

/** @returns paths of all files that are in it */
async function bundle(more: BuildOptions): Promise<readonly string[]> {
  const { metafile } = await build({
    metafile: true,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    legalComments: 'none',
    logLevel: 'warning',
    ...more,
  })
  return Object.keys(metafile?.inputs ?? {})
}

/** The npm packages that files are of, as package-lock.json calls them, for the bill of materials. */
function packagesOf(inputs: readonly string[]): readonly string[] {
  const folders = inputs.map(input => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0])
  return [...new Set(folders)].filter(folder => folder !== undefined).sort()
}

/** A fresh copy, written in small pieces: the kernel then keeps it in small pages, and a run of it is 20 MB smaller. */
async function copyInPieces(file: string): Promise<string> {
  const copy = `${file}-copy`
  const pieces = createReadStream(file, { highWaterMark: 32 << 10 })
  await pipeline(pieces, createWriteStream(copy, { mode: 0o755, highWaterMark: 1 }))
  return copy
}

/** So that root's program does nothing that a variable tells the engine in it to do. */
async function emptyEnvironment(file: string): Promise<void> {
  const program = await readFile(file)
  setStart(program, 'without environment')
  await writeFile(file, program)
}

function kactusName({ packager, arch }: Wish): string {
  if (packager === 'pkg') return 'kactus-pkg'
  return arch === hostArch ? 'kactus' : `kactus-${arch}`
}

async function main(args: readonly string[]): Promise<void> {
  const wish = readWish(args)
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  await mkdir(dist, { recursive: true })
  const work = await mkdtemp(join(dist, '.work-'))
  try {
    const [agent, packed] = [join(work, 'nopal.js'), join(work, 'kactus')]
    const clientNode = join(work, clientNodeFile)
    const kactus = await bundleKactus(version, join(work, 'pieces'), wish.packager)
    const beside = [await bundleAgent(version, agent), await bundle(clientNodeOptions(root, clientNode))]
    if (wish.packager === 'pkg') await packWithPkg(kactus.entry, packed)
    else await packWithBun(kactus.entry, packed, wish.arch)
    await emptyEnvironment(packed)
    // Renamed, so that whoever runs them meanwhile has the old or the new, never half of one.
    await copyNetlink(root, dist)
    await rename(clientNode, join(dist, clientNodeFile))
    await rename(`${agent}.map`, join(dist, 'nopal.js.map'))
    await rename(agent, join(dist, 'nopal.js'))
    await rename(await copyInPieces(packed), join(dist, kactusName(wish)))
    await writeFile(join(dist, 'bundled.json'), JSON.stringify(packagesOf([...kactus.inputs, ...beside.flat()])))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  process.stdout.write(`built dist/nopal.js and dist/${kactusName(wish)}, version ${version}\n`)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`build: ${messageOf(error)}\n`)
  process.exitCode = 1
}
