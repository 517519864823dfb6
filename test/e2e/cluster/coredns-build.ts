import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../../machine/command.ts'

const source = join(import.meta.dirname, '../../cluster/coredns')
const findGo = join(import.meta.dirname, '../../../scripts/go.sh')
const buildLimitMs = 20 * 60_000

/** Path of the CoreDNS program; builds it where the cache lacks this version, which takes a minute or two. */
export async function findCoreDns(cache: string, say: (text: string) => void): Promise<string> {
  const texts = await Promise.all(['go.mod', 'go.sum', 'main.go'].map(file => readFile(join(source, file))))
  const hash = createHash('sha256').update(Buffer.concat(texts)).digest('hex').slice(0, 12)
  const folder = join(cache, `coredns-${hash}`)
  const program = join(folder, 'coredns')
  if (await exists(program)) return program
  say('building CoreDNS with Go (minutes, once)')
  await mkdir(folder, { recursive: true })
  const work = await mkdtemp(join(folder, '.building-'))
  try {
    const draft = join(work, 'coredns')
    // Static, because its image has no C library.
    const env = { ...goEnv(), CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' }
    const go = (await runCommand([findGo], { env, timeoutMs: buildLimitMs })).trim()
    const build = ['nice', go, 'build', '-C', source, '-trimpath', '-ldflags', '-s -w', '-o', draft, '.']
    await runCommand(build, { env, timeoutMs: buildLimitMs })
    await rename(draft, program)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return program
}

/** Go finds its caches and its module proxy by many variables: it gets them all. */
function goEnv(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  )
}
