import { SettingsError } from '../config/faults.ts'
import { messageOf } from '../runtime/error-fields.ts'
import { runAgent } from './agent.ts'
import { runInstall, runUninstall } from './install.ts'
import { runProbe } from './probe.ts'
import { type ExitCode, exitCodes, type ProcessPorts } from './process.ts'
import { runStatus } from './status.ts'
import { type CommandName, type Flags, parseCommandLine, renderHelp, UsageError } from './usage.ts'
import { runVerify } from './verify.ts'

type Command = (ports: ProcessPorts, flags: Flags) => Promise<ExitCode>

const commands: Readonly<Record<CommandName, Command>> = {
  agent: runAgent,
  verify: runVerify,
  install: runInstall,
  uninstall: runUninstall,
  status: runStatus,
  probe: runProbe,
}

/** Runs what the command line asks for. Never throws: a fault is told on stderr and by the exit code. */
export async function run(ports: ProcessPorts): Promise<ExitCode> {
  try {
    const invocation = parseCommandLine(ports.args)
    if (invocation.kind === 'run') return await commands[invocation.command](ports, invocation.flags)
    ports.stdout.write(invocation.kind === 'help' ? renderHelp() : `${ports.version}\n`)
    return exitCodes.well
  } catch (error) {
    return tell(ports, error)
  }
}

function tell(ports: ProcessPorts, error: unknown): ExitCode {
  if (error instanceof SettingsError) {
    ports.stderr.write(`${error.message}\n`)
    return exitCodes.usage
  }
  if (error instanceof UsageError) {
    ports.stderr.write(`nopal: ${error.message}; see nopal --help\n`)
    return exitCodes.usage
  }
  ports.stderr.write(`nopal: ${describeFault(error)}\n`)
  return exitCodes.failed
}

/** An error with a code was foreseen and its message says enough; any other is a fault of the program. */
export function describeFault(error: unknown): string {
  if (error instanceof Error && 'code' in error) return messageOf(error)
  return error instanceof Error ? `internal fault: ${error.stack ?? error.message}` : `internal fault: ${String(error)}`
}
