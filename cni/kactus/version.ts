import { field, isJsonObject, JsonError, parseJson, printJson } from '../spec/json.ts'
import { type CniVersion, isSupportedVersion, NEWEST_VERSION, SUPPORTED_VERSIONS } from '../spec/versions.ts'
import type { CniProcess } from './process.ts'

/** VERSION. Whoever asks may send nothing, or what we cannot read: that is why it asks. */
export async function answerVersion(io: CniProcess): Promise<void> {
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
