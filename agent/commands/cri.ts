import { createCri } from '../podagent/cri.ts'
import { type ExitCode, exitCodes, type ProcessPorts } from '../runtime/process.ts'
import type { Flags } from './usage.ts'

/** `nopal cri`: asks the container runtime for its sandboxes, or for the ready one of a pod; started by nopal itself. */
export async function runCri({ stdout, ended }: ProcessPorts, { socket, pod }: Flags): Promise<ExitCode> {
  const cri = createCri(String(socket))
  const answer = pod === undefined ? cri.sandboxes(ended) : cri.readySandbox(String(pod), ended)
  stdout.write(`${JSON.stringify((await answer) ?? null)}\n`)
  return exitCodes.well
}
