import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A temporary folder that is gone with the process that made it. */
export interface RunFolder {
  readonly path: string
  /** Removes it; whoever writes there must have ended. */
  remove(): Promise<void>
}

// Waits for a word on its stdin, or for its end, which comes when the test dies, also by SIGKILL. Then the programs of
// the run are being killed too and may still write: hence the second pass.
const keeperScript = `read -r word || :
rm -rf -- "$1"
[ "$word" = stopped ] || { sleep 1; rm -rf -- "$1"; }`

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
      keeper.stdin.end('stopped\n')
      await gone
    },
  }
}
