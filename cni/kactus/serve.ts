import { createLog, type Log } from '../host/log.ts'
import { isOwnNetns } from '../host/netns.ts'
import { PluginProcesses } from '../host/plugin-process.ts'
import { STATE_MARK } from '../host/process-identity.ts'
import { InputError } from '../host/stdin.ts'
import { messageOf } from '../host/system-error.ts'
import { KactusCode } from '../networks/codes.ts'
import { CniCode, CniError, toCniError } from '../spec/errors.ts'
import { type JsonObject, printJson } from '../spec/json.ts'
import { type CniCommand, pluginFolders } from '../spec/plugin.ts'
import { atLeast, type CniVersion, NEWEST_VERSION } from '../spec/versions.ts'
import { add } from './add.ts'
import type { Call } from './call.ts'
import { type Conf, logLevelFrom, readConf } from './config.ts'
import { del } from './del.ts'
import { type Request, readRequest } from './request.ts'
import type { CniProcess } from './skel.ts'
import { canLookUp, lookupSources } from './sources.ts'
import { RecordStore } from './store.ts'

/** What a command does, once its request and configuration are known to be good. */
export type RunCommand = (request: Request, conf: Conf) => Promise<JsonObject | undefined>

/** Commands that came later than the first version. */
const SINCE: Partial<Record<CniCommand, CniVersion>> = { CHECK: '0.4.0', STATUS: '1.1.0', GC: '1.1.0' }

const DELEGATE_TIMEOUT_MS = 100_000
/** In the environment of all that kactus starts, and of what that starts. */
const INSIDE_MARK = 'NOPAL_KACTUS_INSIDE'

/**
 * Answers a request with the real world around it.
 * @returns the exit code
 */
export function serve(io: CniProcess, uid: number): Promise<number> {
  return serveWith(io, (request, conf) => runCommand(io, uid, { request, conf }))
}

/**
 * Answers a request: reads and checks all that came with it, then runs it.
 * @returns the exit code
 */
export async function serveWith(io: CniProcess, run: RunCommand): Promise<number> {
  let cniVersion = NEWEST_VERSION
  try {
    const request = readRequest(io.env)
    const conf = readConf(await stdinOf(io))
    cniVersion = conf.cniVersion
    refuseEarly(request.command, cniVersion)
    const result = await run(request, conf)
    if (result !== undefined) say(io, result)
    return 0
  } catch (error) {
    const { code, message, details } = toCniError(error)
    say(io, { cniVersion, code, msg: message, ...(details !== undefined && { details }) })
    return 1
  }
}

function say(io: CniProcess, document: JsonObject): void {
  io.stdout(`${printJson(document)}\n`)
}

async function stdinOf(io: CniProcess): Promise<string> {
  try {
    return await io.readStdin()
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw new CniError(CniCode.IoFailure, `the configuration on stdin: ${error.message}`, { cause: error })
  }
}

function refuseEarly(command: CniCommand, version: CniVersion): void {
  const since = SINCE[command]
  if (since === undefined || atLeast(version, since)) return
  throw new CniError(
    CniCode.IncompatibleVersion,
    `${command} needs cniVersion ${since} or newer, the configuration has ${version}`,
  )
}

/** A request and the configuration that came with it. */
export interface Given {
  readonly request: Request
  readonly conf: Conf
}

/** Runs the command of a request with the real world around it. */
export async function runCommand(io: CniProcess, uid: number, given: Given): Promise<JsonObject | undefined> {
  const { request, conf } = given
  refuseDelegate(io)
  const log = logOf(io, conf, request)
  const started = performance.now()
  try {
    refuseOwnNamespace(io, request)
    const result = await workOf(request.command)(callOf(io, uid, { ...given, log }))
    log.info(`${request.command} done`, { ms: Math.round(performance.now() - started) })
    return result
  } catch (error) {
    const code = error instanceof CniError ? error.code : undefined
    log.error(`${request.command} failed: ${messageOf(error)}`, { code })
    throw error
  }
}

type Work = (call: Call) => Promise<JsonObject | undefined>

/** What is asked for once a pod is at hand; the others are loaded when they are asked for. */
function workOf(command: Request['command']): Work {
  switch (command) {
    case 'ADD':
      return add
    case 'DEL':
      return del
    case 'CHECK':
      return async call => (await import('./check.ts')).check(call)
    case 'STATUS':
      return async call => (await import('./status.ts')).status(call)
    case 'GC':
      return async call => (await import('./gc.ts')).gc(call)
    case 'VERSION':
      return async () => undefined
  }
}

function callOf(io: CniProcess, uid: number, given: Pick<Call, 'request' | 'conf' | 'log'>): Call {
  const { conf, request, log } = given
  return {
    ...given,
    store: openStore(io, conf, log),
    runner: new PluginProcesses({
      folders: pluginFolders(request.path),
      env: { ...io.env, [INSIDE_MARK]: '1', [STATE_MARK]: conf.cniDir },
      timeoutMs: DELEGATE_TIMEOUT_MS,
      stderr: chunk => io.stderr(Buffer.from(chunk).toString()),
      codes: { notFound: KactusCode.PluginNotFound, failed: KactusCode.PluginFailed },
    }),
    lookup: lookupSources(conf, io.env, uid),
    canLookUp: () => canLookUp(conf, io.env, uid),
    width: widthFor(navigator.hardwareConcurrency),
    startedMs: performance.timeOrigin,
  }
}

function openStore(io: CniProcess, conf: Conf, log: Log): RecordStore {
  const onDamaged = (message: string) => {
    io.stderr(`kactus: ${message}\n`)
    log.error(message)
  }
  return new RecordStore(conf.cniDir, onDamaged, count => {
    log.info('killed plugins that a dead run had left', { count })
  })
}

/** Delegates mostly wait for the kernel, so there may be more of them than cores: at least a pod of five networks at once. */
function widthFor(cores: number): number {
  return Math.min(Math.max(cores * 2, 5), 16)
}

/**
 * A plugin of ours that runs us: some network leads back here, by whatever way. Its configuration is not ours, so not
 * even the log that it names is opened.
 */
function refuseDelegate({ env }: CniProcess): void {
  if (env[INSIDE_MARK] === undefined) return
  throw new CniError(
    KactusCode.PluginRefused,
    'a plugin that kactus runs has called kactus: no network may lead back here',
  )
}

/** Before any work: what would be attached there is the host itself. */
function refuseOwnNamespace(io: CniProcess, { command, netns }: Request): void {
  if (command !== 'ADD' && command !== 'DEL') return
  if (['1', 'true'].includes((io.env.CNI_NETNS_OVERRIDE ?? '').toLowerCase())) return
  if (isOwnNetns(netns))
    throw new CniError(CniCode.InvalidNetNs, 'CNI_NETNS is the network namespace of the plugin itself')
}

function logOf(io: CniProcess, conf: Conf, request: Request): Log {
  const { _CNI_LOGGING_LEVEL: level, _CNI_LOGGING_FILE: file, _CNI_LOGGING_PREFIX: prefix } = io.env
  return createLog({
    level: conf.logLevel ?? logLevelFrom(level ?? '') ?? 'error',
    file: conf.logFile ?? (file?.startsWith('/') ? file : undefined),
    prefix: prefix || undefined,
    fallback: io.stderr,
    facts: { verb: request.command, container: request.containerId || undefined, pod: podTitle(request) },
  })
}

function podTitle({ args }: Request): string | undefined {
  const name = args.get('K8S_POD_NAME')
  return name === undefined ? undefined : `${args.get('K8S_POD_NAMESPACE') ?? ''}/${name}`
}
