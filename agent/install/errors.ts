/** What kept the CNI files from being put in place or taken away. */
export class InstallError extends Error {
  override readonly name = 'InstallError'
  readonly code: 'BinaryMissing' | 'NoToken' | 'CannotWrite' | 'CannotRemove'

  constructor(code: InstallError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
