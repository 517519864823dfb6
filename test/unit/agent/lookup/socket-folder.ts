import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** A folder that goes with its test. Not tap's own: the path of a socket has 107 bytes at most. */
export function socketFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'nopal-lookup-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Writes these pieces one after the other, reads to the end; `error:CODE` where the connection fails. */
export function exchange(path: string, ...pieces: readonly (string | Uint8Array)[]): Promise<string> {
  return new Promise(resolve => {
    let said = ''
    const socket = createConnection(path)
    socket.on('data', chunk => {
      said += chunk.toString()
    })
    socket.on('error', error => resolve(`error:${'code' in error ? error.code : ''}`))
    socket.on('close', () => resolve(said))
    socket.on('connect', async () => {
      // The next piece goes when the one before it is out.
      for (const piece of pieces) await new Promise(done => socket.write(piece, done))
    })
  })
}
