/** One process to run to its end. */
export interface PluginSpawn {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** For its stdin. One that ends without reading it is judged by how it ended. */
  readonly input: string
  readonly timeoutMs: number
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

/** Watches over one process: its time and its output. */
export class PluginWatch {
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
  }

  /**
   * @param pid of the process, which is the leader of its group
   * @param letGo closes our ends of its pipes
   */
  started(pid: number | undefined, letGo: () => void): void {
    this.#pid = pid
    this.#letGo = letGo
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
  }

  end(exitCode: number | undefined, signal: string | undefined): Ended {
    clearTimeout(this.#timer)
    const stderr = Buffer.concat(this.#quote).subarray(0, MAX_QUOTE_BYTES).toString()
    return { exitCode, signal, stdout: Buffer.concat(this.#stdout).toString(), stderr, fault: this.#fault }
  }

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
