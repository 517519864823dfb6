import { type BunEngine, byEngine } from './engine.ts'

/** One process to run to its end. */
export interface PluginSpawn {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** For its stdin. One that ends without reading it is judged by how it ended. */
  readonly input: string
  readonly timeoutMs: number
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined
  /** Takes what it says on stderr. */
  readonly stderr: (chunk: Uint8Array) => void
}

/** How a process ended. */
export interface Ended {
  readonly exitCode: number | undefined
  readonly signal: string | undefined
  readonly stdout: string
  /** The first of it, to be quoted. */
  readonly stderr: string
  /** Why we ended it. */
  readonly fault: string | undefined
}

const MAX_OUTPUT_BYTES = 4 * 1024 * 1024
/** How much of its stderr a plugin without an answer gets quoted. */
const MAX_QUOTE_BYTES = 2000

/** What a plugin that died has left running gets to come to its own end. */
const LEFT_BEHIND_MS = 2000

/**
 * Runs a process to its end, in a group of its own. Where it failed, what it has left running is waited for too, then
 * ended: whoever undoes its work must not race with it.
 * @throws what the engine says if it cannot be started
 */
export const runToEnd: (wish: PluginSpawn) => Promise<Ended> = byEngine({
  bun: bun => wish => runWithBun(bun, wish),
  node: () => runWithNode,
})

/** Watches over one process: its time and its output. */
class PluginWatch {
  readonly #wish: PluginSpawn
  readonly #stdout: Uint8Array[] = []
  readonly #quote: Uint8Array[] = []
  readonly #timer: NodeJS.Timeout
  #taken = 0
  #quoted = 0
  #pid: number | undefined
  #letGo: (() => void) | undefined
  #fault: string | undefined

  constructor(wish: PluginSpawn) {
    this.#wish = wish
    this.#timer = setTimeout(() => this.#kill(`did not end within ${wish.timeoutMs / 1000} s`), wish.timeoutMs)
    wish.signal?.addEventListener('abort', this.#callOff)
  }

  /**
   * @param pid of the process, which is the leader of its group
   * @param letGo closes our ends of its pipes
   */
  started(pid: number | undefined, letGo: () => void): void {
    this.#pid = pid
    this.#letGo = letGo
    if (this.#wish.signal?.aborted) this.#callOff()
  }

  takeStdout(chunk: Uint8Array): void {
    this.#taken += chunk.length
    if (this.#taken > MAX_OUTPUT_BYTES) this.#kill(`said more than ${MAX_OUTPUT_BYTES} bytes`)
    else this.#stdout.push(chunk)
  }

  takeStderr(chunk: Uint8Array): void {
    this.#wish.stderr(chunk)
    if (this.#quoted < MAX_QUOTE_BYTES) this.#quote.push(chunk)
    this.#quoted += chunk.length
  }

  /** Nothing came of it. */
  cancel(): void {
    clearTimeout(this.#timer)
    this.#wish.signal?.removeEventListener('abort', this.#callOff)
  }

  /** The process itself has ended; others of its group may hold its pipes. */
  async ended(exitCode: number | undefined): Promise<void> {
    if (exitCode === 0 || this.#pid === undefined || !isGroupThere(this.#pid)) return
    const { endGroup } = await import('./orphans.ts')
    await endGroup(this.#pid, LEFT_BEHIND_MS)
  }

  end(exitCode: number | undefined, signal: string | undefined): Ended {
    this.cancel()
    const stderr = Buffer.concat(this.#quote).subarray(0, MAX_QUOTE_BYTES).toString()
    return { exitCode, signal, stdout: Buffer.concat(this.#stdout).toString(), stderr, fault: this.#fault }
  }

  readonly #callOff = () => this.#kill('was called off')

  /** With all that it started; what has left its group would hold the pipes, and us. */
  #kill(fault: string): void {
    this.#fault ??= fault
    if (this.#pid === undefined) return
    try {
      process.kill(-this.#pid, 'SIGKILL')
    } catch {
      // Gone already.
    }
    this.#letGo?.()
  }
}

function isGroupThere(leader: number): boolean {
  try {
    process.kill(-leader, 0)
    return true
  } catch {
    return false
  }
}

/** By Bun's own means: half the time of its node:child_process. */
async function runWithBun(bun: BunEngine, wish: PluginSpawn): Promise<Ended> {
  const watch = new PluginWatch(wish)
  try {
    const stdin = new TextEncoder().encode(wish.input)
    const child = bun.spawn(wish.argv, { stdin, stdout: 'pipe', stderr: 'pipe', env: wish.env, detached: true })
    const [stdout, stderr] = [child.stdout.getReader(), child.stderr.getReader()]
    watch.started(child.pid, () => {
      for (const reader of [stdout, stderr]) reader.cancel().catch(() => undefined)
    })
    const ended = child.exited.then(() => watch.ended(child.exitCode ?? undefined))
    const drained = [drain(stdout, chunk => watch.takeStdout(chunk)), drain(stderr, chunk => watch.takeStderr(chunk))]
    await Promise.all([...drained, ended])
    return watch.end(child.exitCode ?? undefined, child.signalCode ?? undefined)
  } finally {
    watch.cancel()
  }
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>, take: (chunk: Uint8Array) => void) {
  for (let part = await reader.read(); !part.done; part = await reader.read()) take(part.value)
}

function runWithNode(wish: PluginSpawn): Promise<Ended> {
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
    const ended = new Promise<void>(done => child.on('exit', code => done(watch.ended(code ?? undefined))))
    child.on('close', (code, signal) => {
      ended.then(() => resolve(watch.end(code ?? undefined, signal ?? undefined)), reject)
    })
  })
}
