/** An error that is decided on by its code; its message is for people. */
export class CodedError<C extends string | number> extends Error {
  readonly code: C

  constructor(code: C, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
