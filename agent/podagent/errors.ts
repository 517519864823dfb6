import { CodedError } from '../../cni/host/coded-error.ts'
/**
 * `NotKactus`: the node's first CNI configuration is none that podagent may call. `NoSandbox`: the pod's network namespace
 * is not found. `NoRuntime`: the container runtime did not answer. `StepFailed`: kactus refused.
 */
export type PodagentErrorCode = 'NotKactus' | 'NoSandbox' | 'NoRuntime' | 'StepFailed'

export class PodagentError extends CodedError<PodagentErrorCode> {
  override readonly name = 'PodagentError'
}
