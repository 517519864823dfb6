import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { callerEnv, runCommand } from '../machine/command.ts'
import { ownArch } from './product.ts'
import { cacheFolder } from './test-cluster.ts'

/** What people have before they upgrade; there was no chart yet. */
const version = '0.1.0'
const commit = 'feb45aae8f1ab39e590232ad6dee3c4835f3b6e3'

export interface PreviousRelease {
  readonly version: string
  /** Its image, as an OCI archive. */
  readonly archive: string
  /** Its manifests, for `kubectl kustomize`. */
  readonly manifests: string
}

const root = join(import.meta.dirname, '../..')

/** The release before this one, built from its commit by its own scripts where the cache lacks it: minutes, once. */
export async function findPreviousRelease(): Promise<PreviousRelease> {
  const folder = join(cacheFolder(), `release-${version}-${commit.slice(0, 12)}-${ownArch}`)
  const isThere = await access(folder).then(
    () => true,
    () => false,
  )
  if (!isThere) await build(folder)
  return { version, archive: join(folder, 'image.tar'), manifests: join(folder, 'daemonset') }
}

/** Whole or not at all. */
async function build(folder: string): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true })
  const work = await mkdtemp(join(cacheFolder(), '.release-'))
  const run = (script: string) => runCommand(['sh', '-ec', script], { env: callerEnv, timeoutMs: 600_000 })
  try {
    // A clone without its history, as some CI makes it, lacks the commit: git says so.
    await run(`mkdir ${work}/source; git -C ${root} archive ${commit} | tar -x -C ${work}/source`)
    await run(`cd ${work}/source; ./scripts/image.sh --arch ${ownArch}`)
    await run(
      `cd ${work}; mkdir done; mv source/daemonset done; mv source/dist/nopal-image-${ownArch}.tar done/image.tar`,
    )
    await rename(join(work, 'done'), folder)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
