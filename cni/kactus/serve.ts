import { InputError } from '../host/stdin.ts'
import { CniCode, CniError, toCniError } from '../spec/errors.ts'
import { type JsonObject, printJson } from '../spec/json.ts'
import type { CniCommand } from '../spec/plugin.ts'
import { atLeast, type CniVersion, NEWEST_VERSION } from '../spec/versions.ts'
import { runCommand } from './command.ts'
import { type Conf, readConf } from './config.ts'
import { type Request, readRequest } from './request.ts'
import type { CniProcess } from './skel.ts'

/** What a command does, once its request and configuration are known to be good. */
export type RunCommand = (request: Request, conf: Conf) => Promise<JsonObject | undefined>

/** Commands that came later than the first version. */
const SINCE: Partial<Record<CniCommand, CniVersion>> = { CHECK: '0.4.0', STATUS: '1.1.0', GC: '1.1.0' }

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
