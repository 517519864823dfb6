import { spawn } from 'node:child_process'
import { join } from 'node:path'

const script = join(import.meta.dirname, '../../scripts/kube-assets.sh')

/** The folder with the named Go programs, all of one module; builds what is absent first, which takes minutes. */
export async function findKubeAssets(names: readonly string[]): Promise<string> {
  // Its progress and its complaints go to our stderr: a person waits for it.
  const child = spawn(script, names, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  let text = ''
  child.stdout.on('data', chunk => {
    text += String(chunk)
  })
  if ((await ended) !== 0) throw new Error('scripts/kube-assets.sh failed, see its message')
  return text.trimEnd().split('\n').at(-1) ?? ''
}
