import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A temporary folder that is gone with the process that made it. */
export interface RunFolder {
  readonly path: string
  remove(): Promise<void>
}

// Waits for the end of its stdin, which comes when the test lets go or dies, also by SIGKILL. The second pass
// is for a program of the run that was still writing.
const keeperScript = 'cat >/dev/null; rm -rf -- "$1" 2>/dev/null || { sleep 1; rm -rf -- "$1"; }; :'

/** Makes a folder `nopal-<run>-<what>-XXXXXX` in the system's temporary folder. */
export async function makeRunFolder(run: string, what: string): Promise<RunFolder> {
  const path = await mkdtemp(join(tmpdir(), `nopal-${run}-${what}-`))
  // Its own session: the Ctrl-C that ends the test must not end the one who tidies up.
  const keeper = spawn('sh', ['-c', keeperScript, 'sh', path], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  const gone = once(keeper, 'exit')
  keeper.unref()
  return {
    path,
    async remove() {
      keeper.ref()
      keeper.stdin.end()
      await gone
    },
  }
}
