import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import * as v from 'valibot'
import { errorCode } from '../../cni/host/system-error.ts'
import { type LineReader, readLines } from '../runtime/lines.ts'
import { SandboxError } from './errors.ts'

/** How the program that checks from inside is started. */
export interface ProbeProgram {
  /** argv of this program. */
  readonly self: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly hostRoot: string
}

const helloShape = v.union([v.object({ pid: v.number() }), v.object({ fault: v.string() })])

const helloLimitMs = 10_000
const mostAnswerBytes = 4 * 2 ** 20
const mostQuoteBytes = 500

/**
 * This program once more, in a network namespace of its own. The namespace lives as long as the process, and the
 * process ends when the pipe from us does: after a kill of any kind neither is left.
 */
export class ProbeProcess {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: LineReader
  readonly #ended: Promise<void>
  #received = 0
  #said = ''
  #netns = ''
  /** It could not be started, or did not speak in time: no rights are missing then. */
  #cannot = false

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
    child.stdout.on('data', (chunk: Buffer | string) => {
      this.#received += chunk.length
      if (this.#received > mostAnswerBytes) this.kill()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      if (this.#said.length < mostQuoteBytes) this.#said += chunk
    })
    // How the process ended is told by what it did not say.
    child.stdin.on('error', () => undefined)
    this.#ended = new Promise(resolve => {
      child.on('error', error => {
        const missing = errorCode(error) === 'ENOENT'
        this.#said = missing ? 'program unshare is missing (util-linux)' : error.message
        this.#cannot = !missing
        resolve()
      })
      child.on('close', () => resolve())
    })
    this.#lines = readLines(child.stdout)
  }

  /**
   * Starts it and waits until it is in its namespace.
   * @throws SandboxError NoSandbox, SandboxFailed
   */
  static async start({ self, env, hostRoot }: ProbeProgram, signal: AbortSignal): Promise<ProbeProcess> {
    const argv = ['--net', '--', ...self, 'probe', `--host-root=${hostRoot}`]
    const probe = new ProbeProcess(spawn('unshare', argv, { env: { ...env }, stdio: 'pipe' }))
    try {
      const hello = v.parse(helloShape, JSON.parse(await probe.#line(signal, helloLimitMs)))
      if ('fault' in hello) throw new SandboxError('NoSandbox', hello.fault)
      probe.#netns = `/proc/${hello.pid}/ns/net`
      return probe
    } catch (error) {
      await probe.end()
      signal.throwIfAborted()
      if (error instanceof SandboxError && error.code === 'NoSandbox') throw error
      const code = probe.#cannot ? 'SandboxFailed' : 'NoSandbox'
      throw new SandboxError(code, `no network namespace could be made: ${probe.#why()}`, error)
    }
  }

  /** Path of the namespace as the host sees it. */
  get netns(): string {
    return this.#netns
  }

  /**
   * Hands over one line and returns the one that comes back.
   * @throws SandboxError SandboxFailed, or the signal's reason
   */
  async ask(request: string, signal: AbortSignal): Promise<string> {
    this.#child.stdin.write(`${request}\n`)
    return this.#line(signal)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  /** Ends the process, and with it the namespace. */
  async end(): Promise<void> {
    this.kill()
    await this.#ended
  }

  async #line(signal: AbortSignal, limitMs?: number): Promise<string> {
    signal.throwIfAborted()
    const onAbort = () => this.kill()
    const onLimit = () => {
      this.#cannot = true
      this.kill()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    const timer = limitMs === undefined ? undefined : setTimeout(onLimit, limitMs)
    try {
      const next = await Promise.race([this.#lines.next(), this.#ended.then(() => undefined)])
      if (next === undefined || this.#received > mostAnswerBytes) {
        await this.#ended
        signal.throwIfAborted()
        throw new SandboxError('SandboxFailed', `the program in the sandbox ended: ${this.#why()}`)
      }
      return next
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }

  #why(): string {
    return this.#said.slice(0, mostQuoteBytes).trim().replaceAll('\n', '; ') || 'it said nothing'
  }
}
