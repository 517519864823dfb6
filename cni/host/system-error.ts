/** The code of an error that has one, such as `ENOENT`; undefined where it has none. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

/** Whether a file, or a folder on the way to it, is not there. */
export function isMissing(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** For `catch`: a file that is not there is undefined; every other error stays one. */
export function orMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error
}

/** The message of anything thrown, for people. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
