import { field, isJsonObject, JsonError, parseJson, printJson } from '../spec/json.ts'
import { type CniVersion, isSupportedVersion, NEWEST_VERSION, SUPPORTED_VERSIONS } from '../spec/versions.ts'
import type { Environment } from './request.ts'

/** The whole of the process: what comes in and what goes out. */
export interface CniProcess {
  readonly env: Environment
  /** Of this program. */
  readonly version: string
  /** @throws InputError */
  readStdin(): Promise<string>
  stdout(text: string): void
  stderr(text: string): void
}

/**
 * Answers one request: at most one JSON document on stdout. What needs no more than a word is answered here.
 * @param serve answers the rest; it has much to load
 * @returns the exit code
 */
export async function dispatch(io: CniProcess, serve: () => Promise<number>): Promise<number> {
  if (io.env.CNI_COMMAND === 'VERSION') await answerVersion(io)
  else if (io.env.CNI_COMMAND) return serve()
  else {
    io.stderr(`kactus ${io.version}, CNI plugin that attaches pods to several networks\n`)
    io.stderr(`CNI versions: ${SUPPORTED_VERSIONS.join(', ')}\n`)
  }
  return 0
}

/** VERSION. Whoever asks may send nothing, or what we cannot read: that is why it asks. */
async function answerVersion(io: CniProcess): Promise<void> {
  const text = await io.readStdin().catch(() => '')
  const answer = { cniVersion: versionAsked(text) ?? NEWEST_VERSION, supportedVersions: SUPPORTED_VERSIONS }
  io.stdout(`${printJson(answer)}\n`)
}

/** The version a VERSION request is answered in: that of its configuration, if it has one that we speak. */
export function versionAsked(text: string): CniVersion | undefined {
  try {
    const document = parseJson(text)
    const version = isJsonObject(document) ? field(document, 'cniVersion') : undefined
    return isSupportedVersion(version) ? version : undefined
  } catch (error) {
    if (error instanceof JsonError) return undefined
    throw error
  }
}
