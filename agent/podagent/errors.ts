/**
 * `NotKactus`: the node's first CNI configuration is none that podagent may call. `NoSandbox`: the pod's network namespace
 * is not found. `NoRuntime`: the container runtime did not answer. `StepFailed`: kactus refused.
 */
export type PodagentErrorCode = 'NotKactus' | 'NoSandbox' | 'NoRuntime' | 'StepFailed'

export class PodagentError extends Error {
  override readonly name = 'PodagentError'
  readonly code: PodagentErrorCode

  constructor(code: PodagentErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
