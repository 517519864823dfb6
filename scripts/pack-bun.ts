import { execFile } from 'node:child_process'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Arch } from './build.ts'
import { packageFolder } from './registry-package.ts'

// Baseline: runs on every x86-64, not only on those with AVX2; cheap servers are old servers.
const basePackages: Record<Arch, string> = {
  amd64: '@oven/bun-linux-x64-baseline',
  arm64: '@oven/bun-linux-aarch64',
}

/**
 * Variables that a compiled Bun program obeys before our first line runs: one turns it into the bun command line,
 * one loads files into it, the others write files. A root executable must not.
 */
const obeyedVariables = ['BUN_BE_BUN', 'BUN_OPTIONS', 'BUN_BYTECODE_ORDER_OUT', 'BUN_BYTECODE_ORDER_NAMES_OUT']

/** Makes one executable of a bundle in pieces with Bun inside, deaf to its environment and working directory. */
export async function packWithBun(entry: string, output: string, arch: Arch): Promise<void> {
  const base = join(await packageFolder(basePackages[arch]), 'bin/bun')
  const bun = join(await packageFolder(basePackages[process.arch === 'arm64' ? 'arm64' : 'amd64']), 'bin/bun')
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
  const program = await readFile(output)
  for (const name of obeyedVariables) silence(program, name)
  await writeFile(output, program)
  await chmod(output, 0o755)
}

/**
 * Overwrites a variable's name in place, same length, with bytes that no shell or service manager can put in a name.
 * @throws when the name is not there: Bun has changed, and what it obeys now must be looked at afresh
 */
function silence(program: Buffer, name: string): void {
  const dumb = Buffer.from(`\x01${name.slice(1)}`)
  let found = 0
  for (let at = program.indexOf(name); at >= 0; at = program.indexOf(name, at + 1), found++) dumb.copy(program, at)
  if (found === 0) throw new Error(`the Bun base does not know ${name} any more; check what it obeys now`)
}
