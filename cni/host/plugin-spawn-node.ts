import { type Ended, type PluginSpawn, PluginWatch } from './plugin-spawn.ts'

/** Runs a plugin by Node's own means. */
export function spawnWithNode(wish: PluginSpawn): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const [program = '', ...words] = wish.argv
    const { spawn } = process.getBuiltinModule('node:child_process')
    const child = spawn(program, words, { env: { ...wish.env }, stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    // After the spawn, which throws at once for some faults: nothing would end the watch then.
    const watch = new PluginWatch(wish)
    watch.started(child.pid, () => {
      child.stdout.destroy()
      child.stderr.destroy()
    })
    // A plugin that ends without reading its stdin breaks the pipe.
    child.stdin.on('error', () => undefined)
    child.stdin.end(wish.input)
    child.stdout.on('data', (chunk: Uint8Array) => watch.takeStdout(chunk))
    child.stderr.on('data', (chunk: Uint8Array) => watch.takeStderr(chunk))
    child.on('error', error => {
      watch.cancel()
      reject(error)
    })
    child.on('close', (code, signal) => resolve(watch.end(code ?? undefined, signal ?? undefined)))
  })
}
