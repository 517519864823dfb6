/** Why there is no probe sandbox, or none that works; also the reason that the skipped checks show. */
export type SandboxErrorCode =
  /** This process may not make one, or lacks a program for it. */
  | 'NoSandbox'
  /** The node has no CNI network yet. */
  | 'NoNetwork'
  /** The network's plugins said no: many refuse a sandbox that belongs to no pod. */
  | 'SandboxRefused'
  /** The network cannot attach anything, pods neither. */
  | 'NetworkBroken'
  /** The program in the sandbox ended without its results. */
  | 'ProbeLost'

/** There is no probe sandbox, or no result from it. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError'
  readonly code: SandboxErrorCode

  constructor(code: SandboxErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
