import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { CniError } from '../spec/errors.ts'
import { field, isJsonObject, type Json, JsonError, parseJson, printJson } from '../spec/json.ts'
import { findPlugin, type PluginCall, type PluginRunner } from '../spec/plugin.ts'

export interface PluginProcessOptions {
  /** Where executables are looked for, from left to right. */
  readonly folders: readonly string[]
  /** What the plugin inherits; the variables of the protocol are added. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Limit of one run. */
  readonly timeoutMs: number
  /** Takes what plugins say on stderr. */
  readonly stderr: (chunk: Uint8Array) => void
  /** Codes for failures that are no plugin's own words. */
  readonly codes: { readonly notFound: number; readonly failed: number }
}

const MAX_OUTPUT_BYTES = 4 * 1024 * 1024
/** How much of its stderr a plugin without an answer gets quoted. */
const MAX_QUOTE_BYTES = 2000
/** An installer may be writing the executable at this moment. */
const BUSY_TRIES = 6
const BUSY_PAUSE_MS = 1000

/** Runs plugins as processes, each in a group of its own so that a hung one ends with all it started. */
export class PluginProcesses implements PluginRunner {
  readonly #options: PluginProcessOptions
  readonly #found = new Map<string, string>()

  constructor(options: PluginProcessOptions) {
    this.#options = options
  }

  async find(type: string): Promise<string> {
    const known = this.#found.get(type)
    if (known !== undefined) return known
    const path = await findPlugin(type, this.#options.folders)
    if (path === undefined) {
      const details = `looked in ${this.#options.folders.join(', ') || 'no folder'}`
      throw new CniError(this.#options.codes.notFound, `plugin ${JSON.stringify(type)} is not installed`, { details })
    }
    this.#found.set(type, path)
    return path
  }

  async run(call: PluginCall): Promise<Json | undefined> {
    const path = await this.find(call.type)
    const ended = await this.#start(path, call)
    if (ended.fault !== undefined) throw this.#failure(call, ended.fault, ended)
    if (ended.exitCode !== 0) throw this.#spoken(call, ended)
    if (ended.stdout.trim() === '') return undefined
    try {
      return parseJson(ended.stdout)
    } catch (error) {
      if (!(error instanceof JsonError)) throw error
      if (call.command !== 'ADD') return undefined
      throw this.#failure(call, `ended well but its result is no JSON: ${error.message}`, ended)
    }
  }

  async #start(path: string, call: PluginCall): Promise<Ended> {
    for (let attempt = 1; ; attempt++) {
      const ended = await this.#once(path, call).catch((error: NodeJS.ErrnoException) => error)
      if (!(ended instanceof Error)) return ended
      if (ended.code !== 'ETXTBSY' || attempt === BUSY_TRIES) {
        const fault = `could not be started: ${ended.code ?? ended.message}`
        throw this.#failure(call, fault, { stderr: '' }, ended)
      }
      await delay(BUSY_PAUSE_MS)
    }
  }

  // Asynchronous, because Bun's spawn throws at once where Node's emits an error.
  async #once(path: string, call: PluginCall): Promise<Ended> {
    const all = { ...this.#options.env, CNI_PATH: this.#options.folders.join(':'), ...call.variables }
    const env = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
    const child = spawn(path, [], { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    // A plugin that ends without reading its stdin breaks the pipe; how it ended is what counts.
    child.stdin.on('error', () => undefined)
    child.stdin.end(printJson(call.config))
    return collect(child, { timeoutMs: this.#options.timeoutMs, stderr: this.#options.stderr })
  }

  /** The error a plugin printed, with its own code and words; else what can be said of its end. */
  #spoken(call: PluginCall, ended: Ended): CniError {
    const said = parseError(ended.stdout)
    if (said !== undefined) return said
    const how = ended.signal === undefined ? `exit code ${ended.exitCode}` : `signal ${ended.signal}`
    if (ended.stdout.trim() !== '')
      return this.#failure(call, `failed (${how}) and its answer is no error document`, ended)
    return this.#failure(call, `failed (${how}) without an answer`, ended)
  }

  #failure(call: PluginCall, fault: string, ended: { stderr: string }, cause?: unknown): CniError {
    const details = ended.stderr.trim() === '' ? undefined : `stderr: ${ended.stderr.trim()}`
    return new CniError(this.#options.codes.failed, `plugin ${call.type}, ${call.command}: ${fault}`, {
      details,
      cause,
    })
  }
}

interface Ended {
  readonly exitCode: number | undefined
  readonly signal: string | undefined
  readonly stdout: string
  readonly stderr: string
  /** Why we ended it. */
  readonly fault: string | undefined
}

function collect(
  child: ChildProcess,
  limits: { timeoutMs: number; stderr: (chunk: Uint8Array) => void },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const stdout: Uint8Array[] = []
    const quote: Uint8Array[] = []
    let taken = 0
    let quoted = 0
    let fault: string | undefined
    const end = (why: string) => {
      fault ??= why
      killGroup(child)
    }
    const timer = setTimeout(() => end(`did not end within ${limits.timeoutMs / 1000} s`), limits.timeoutMs)
    child.stdout?.on('data', (chunk: Uint8Array) => {
      taken += chunk.length
      if (taken > MAX_OUTPUT_BYTES) end(`said more than ${MAX_OUTPUT_BYTES} bytes`)
      else stdout.push(chunk)
    })
    child.stderr?.on('data', (chunk: Uint8Array) => {
      limits.stderr(chunk)
      if (quoted < MAX_QUOTE_BYTES) quote.push(chunk)
      quoted += chunk.length
    })
    child.on('error', error => {
      clearTimeout(timer)
      reject(error)
    })
    child.on('close', (exitCode, signal) => {
      clearTimeout(timer)
      const stderr = Buffer.concat(quote).subarray(0, MAX_QUOTE_BYTES).toString()
      const text = Buffer.concat(stdout).toString()
      resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined, stdout: text, stderr, fault })
    })
  })
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}

function parseError(text: string): CniError | undefined {
  try {
    const said = parseJson(text)
    if (!isJsonObject(said)) return undefined
    const code = field(said, 'code')
    const message = field(said, 'msg')
    const details = field(said, 'details')
    if (typeof code !== 'number' || !Number.isSafeInteger(code) || code <= 0 || typeof message !== 'string')
      return undefined
    return new CniError(code, message, { details: typeof details === 'string' && details !== '' ? details : undefined })
  } catch {
    return undefined
  }
}
