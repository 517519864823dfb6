import { readFile } from 'node:fs/promises'
import { errorCode } from '../../cni/host/system-error.ts'

/** The file of a secret cannot be read. */
class SecretError extends Error {
  override readonly name = 'SecretError'
  readonly code = 'SecretUnreadable'
}

/** A secret: given, or in a file, which wins. */
export interface SecretSource {
  /** The setting that names the file, for messages. */
  readonly setting: string
  readonly value: string | undefined
  readonly path: string | undefined
}

/**
 * The secret as it is now: its file is read each time, so that one that was renewed counts.
 * @throws SecretError
 */
export async function readSecret({ setting, value, path }: SecretSource): Promise<string> {
  if (path === undefined) return value ?? ''
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '')
  } catch (cause) {
    throw new SecretError(`${setting}: ${path} cannot be read (${errorCode(cause)})`, { cause })
  }
}
