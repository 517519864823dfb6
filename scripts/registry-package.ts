import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')

/** CPU names as container images spell them. */
export type Arch = 'amd64' | 'arm64'

interface Locked {
  readonly version: string
  readonly integrity: string
}

/**
 * The folder of a package that package-lock.json pins: the installed one, else (a program for another CPU) a copy
 * fetched once into the cache and held to the lock's digest.
 */
export async function packageFolder(name: string): Promise<string> {
  const installed = join(root, 'node_modules', name)
  if (await exists(installed)) return installed
  const { version, integrity } = await readLock(name)
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'nopal', 'packages')
  const folder = join(cache, `${name.replaceAll('/', '+')}-${version}`)
  if (!(await exists(folder))) await fetchInto(folder, cache, { name: `${name}@${version}`, integrity })
  return folder
}

async function fetchInto(folder: string, cache: string, wanted: { name: string; integrity: string }): Promise<void> {
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, '.fetch-'))
  try {
    const { stdout } = await run('npm', ['pack', wanted.name, '--json', '--pack-destination', work])
    const [packed] = JSON.parse(stdout) as [{ filename: string }]
    const archive = join(work, packed.filename)
    const digest = `sha512-${createHash('sha512')
      .update(await readFile(archive))
      .digest('base64')}`
    if (digest !== wanted.integrity) throw new Error(`${wanted.name} is not what package-lock.json pins`)
    await run('tar', ['-xzf', archive, '-C', work])
    await rename(join(work, 'package'), folder)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function readLock(name: string): Promise<Locked> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>
  }
  const entry = lock.packages[`node_modules/${name}`]
  if (entry === undefined) throw new Error(`${name} is not in package-lock.json`)
  return entry
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
