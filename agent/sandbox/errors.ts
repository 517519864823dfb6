import { CodedError } from '../../cni/host/coded-error.ts'
/** Why there is no probe sandbox, or none that works; also the reason that users see. */
export type SandboxErrorCode =
  /** This process may not make one, or lacks a program for it. */
  | 'NoSandbox'
  /** The node has no CNI network yet. */
  | 'NoNetwork'
  /** The network's plugins said no, in their own words, or do not let go of earlier ones. */
  | 'SandboxRefused'
  /** The network's plugins did not end in time. */
  | 'SandboxTimedOut'
  /** It could not be made, or was lost, and neither the network nor missing rights are why. */
  | 'SandboxFailed'

/** There is no probe sandbox, or no result from it. */
export class SandboxError extends CodedError<SandboxErrorCode> {
  override readonly name = 'SandboxError'
}
