import { InputError } from '../host/stdin.ts'
import { CniCode, CniError, toCniError } from '../spec/errors.ts'
import { type JsonObject, printJson } from '../spec/json.ts'
import type { CniCommand } from '../spec/plugin.ts'
import { atLeast, type CniVersion, NEWEST_VERSION, SUPPORTED_VERSIONS } from '../spec/versions.ts'
import { type Conf, readConf } from './config.ts'
import type { CniProcess } from './process.ts'
import { type Request, readRequest } from './request.ts'
import { answerVersion } from './version.ts'

/** What a command does, once its request and configuration are known to be good. */
export type RunCommand = (request: Request, conf: Conf) => Promise<JsonObject | undefined>

/** Commands that came later than the first version. */
const SINCE: Partial<Record<CniCommand, CniVersion>> = { CHECK: '0.4.0', STATUS: '1.1.0', GC: '1.1.0' }

/**
 * Answers one request: at most one JSON document on stdout.
 * @returns the exit code
 */
export async function dispatch(io: CniProcess, run: RunCommand): Promise<number> {
  if (!io.env.CNI_COMMAND) {
    io.stderr(`kactus ${io.version}, CNI plugin that attaches pods to several networks\n`)
    io.stderr(`CNI versions: ${SUPPORTED_VERSIONS.join(', ')}\n`)
    return 0
  }
  let cniVersion = NEWEST_VERSION
  try {
    const request = readRequest(io.env)
    if (request.command === 'VERSION') {
      await answerVersion(io)
      return 0
    }
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
