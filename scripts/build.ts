import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { packWithBun } from './pack-bun.ts'
import { packWithPkg } from './pack-pkg.ts'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const hostArch = process.arch === 'arm64' ? 'arm64' : 'amd64'

/** CPU names as container images spell them. */
export type Arch = 'amd64' | 'arm64'

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

async function bundleAgent(version: string): Promise<void> {
  await build({
    entryPoints: [join(root, 'agent/main.ts')],
    outfile: join(dist, 'nopal.js'),
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    minifySyntax: true,
    legalComments: 'none',
    define: { NOPAL_VERSION: JSON.stringify(version) },
    // Some libraries are CommonJS and call require for Node's own modules.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  })
}

/** CommonJS, because bytecode and single-executable mains must be. */
async function bundleKactus(version: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [join(root, 'cni/kactus/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    minify: true,
    legalComments: 'none',
    define: { NOPAL_VERSION: JSON.stringify(version) },
    logLevel: 'warning',
  })
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
    const bundle = join(work, 'kactus.cjs')
    const packed = join(work, 'kactus')
    await Promise.all([bundleAgent(version), bundleKactus(version, bundle)])
    if (wish.packager === 'pkg') await packWithPkg(bundle, packed)
    else await packWithBun(bundle, packed, wish.arch)
    await copyFile(bundle, join(dist, 'kactus.cjs'))
    await rename(packed, join(dist, kactusName(wish)))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  process.stdout.write(`built dist/nopal.js and dist/${kactusName(wish)}, version ${version}\n`)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`build: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
