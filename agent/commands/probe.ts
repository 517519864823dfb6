import { type ExitCode, exitCodes, type ProcessPorts } from '../runtime/process.ts'
import { answerProbe } from '../verify/probe.ts'
import type { Flags } from './usage.ts'

/** `nopal probe`: the program in a sandbox, started by nopal itself. */
export async function runProbe(ports: ProcessPorts, flags: Flags): Promise<ExitCode> {
  const pipe = { input: ports.stdin(), say: (line: string) => void ports.stdout.write(`${line}\n`) }
  return (await answerProbe(pipe, String(flags['host-root'] ?? ''))) ? exitCodes.well : exitCodes.failed
}
