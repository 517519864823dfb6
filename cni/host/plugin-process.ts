import { CniError } from '../spec/errors.ts'
import { field, isJsonObject, type Json, JsonError, parseJson, printJson } from '../spec/json.ts'
import { findPlugin, type PluginCall, type PluginRunner } from '../spec/plugin.ts'
import { pause } from './pause.ts'
import { type Ended, runToEnd } from './plugin-spawn.ts'
import { ownIdentity, STARTER_MARK } from './process-identity.ts'

export interface PluginProcessOptions {
  /** Where executables are looked for, from left to right. */
  readonly folders: readonly string[]
  /** The folders as the plugin sees them, where that differs: it looks for its own delegates there. */
  readonly cniPath?: string
  /** argv that runs the executable at a path; the path itself unless told. */
  readonly launch?: (path: string) => readonly string[]
  /** What the plugin inherits; the variables of the protocol are added. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Limit of one run. */
  readonly timeoutMs: number
  /** Ends what runs. */
  readonly signal?: AbortSignal
  /** Takes what plugins say on stderr. */
  readonly stderr: (chunk: Uint8Array) => void
  /** Codes for failures that are no plugin's own words. */
  readonly codes: { readonly notFound: number; readonly failed: number }
}

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
    const path = findPlugin(type, this.#options.folders)
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
      await pause(BUSY_PAUSE_MS)
    }
  }

  #once(path: string, call: PluginCall): Promise<Ended> {
    const {
      folders,
      cniPath = folders.join(':'),
      launch = (file: string) => [file],
      timeoutMs,
      signal,
      stderr,
    } = this.#options
    const all = { ...this.#options.env, [STARTER_MARK]: ownIdentity(), CNI_PATH: cniPath, ...call.variables }
    const env = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
    return runToEnd({ argv: launch(path), env, input: printJson(call.config), timeoutMs, signal, stderr })
  }

  /** The error a plugin printed, with its own code and words; else what can be said of its end. */
  #spoken(call: PluginCall, ended: Ended): CniError {
    const said = parseError(ended.stdout, this.#options.codes.failed)
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

/** Some plugins print their error with code 0, which is none: their words stand, with the code of a failure. */
function parseError(text: string, unspoken: number): CniError | undefined {
  try {
    const said = parseJson(text)
    if (!isJsonObject(said)) return undefined
    const code = field(said, 'code')
    const message = field(said, 'msg')
    const details = field(said, 'details')
    if (typeof message !== 'string' || message.trim() === '') return undefined
    const isCode = typeof code === 'number' && Number.isSafeInteger(code) && code > 0
    return new CniError(isCode ? code : unspoken, message, {
      details: typeof details === 'string' && details !== '' ? details : undefined,
    })
  } catch {
    return undefined
  }
}
