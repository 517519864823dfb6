import { execFile } from 'node:child_process'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type Arch, packageFolder } from './registry-package.ts'

// Baseline: runs on every x86-64, not only on those with AVX2; cheap servers are old servers.
const basePackages: Record<Arch, string> = {
  amd64: '@oven/bun-linux-x64-baseline',
  arm64: '@oven/bun-linux-aarch64',
}

/** Path of the pinned Bun for a CPU. */
export async function findBun(arch: Arch): Promise<string> {
  return join(await packageFolder(basePackages[arch]), 'bin/bun')
}

/** Makes one executable of a bundle in pieces with Bun inside, deaf to its working directory. */
export async function packWithBun(entry: string, output: string, arch: Arch): Promise<void> {
  const [base, bun] = [await findBun(arch), await findBun(process.arch === 'arm64' ? 'arm64' : 'amd64')]
  const build = [
    'build',
    '--compile',
    `--compile-executable-path=${base}`,
    `--target=bun-linux-${arch === 'arm64' ? 'arm64' : 'x64-baseline'}`,
    '--bytecode',
    '--format=esm',
    '--splitting',
    // A run ends before compiled code would have paid for itself, and each of the compiler's threads costs memory.
    '--compile-jit-policy=1000',
    '--minify',
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
    `--outfile=${output}`,
    basename(entry),
  ]
  // Bun names the pieces after their path from here: with a longer one every build would be another program.
  await promisify(execFile)(bun, build, { cwd: dirname(entry) })
}
