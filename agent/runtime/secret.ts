import { readFile } from 'node:fs/promises'
import { errorCode } from '../../cni/host/system-error.ts'

/** Where a secret is: in the settings, or in a file that may change. */
export interface SecretPlace {
  readonly text: string
  /** Absolute; undefined = there is none. The file wins. */
  readonly file: string | undefined
}

/** A file that should hold a secret cannot be read, or is empty. The message names the file and never the secret. */
export class SecretError extends Error {
  override readonly name = 'SecretError'
  readonly code = 'NoSecret'
}

/**
 * The secret as it is now: a file is read each time, so that one that was changed is followed.
 * @returns without white space at the ends; empty = none was set
 * @throws SecretError
 */
export async function readSecret({ text, file }: SecretPlace): Promise<string> {
  if (file === undefined) return text
  let secret: string
  try {
    secret = (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw new SecretError(`the secret's file ${file} cannot be read (${errorCode(error) ?? 'unknown'})`, {
      cause: error,
    })
  }
  if (secret === '') throw new SecretError(`the secret's file ${file} is empty`)
  return secret
}
