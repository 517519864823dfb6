import { SettingsError } from '../config/faults.ts'
import { describeFault } from '../runtime/error-fields.ts'
import { toPlainOutput } from '../runtime/plain-text.ts'
import { type ExitCode, exitCodes, type ProcessPorts } from '../runtime/process.ts'
import { type CommandName, type Flags, parseCommandLine, renderHelp, UsageError } from './usage.ts'

type Command = (ports: ProcessPorts, flags: Flags) => Promise<ExitCode>

/** Each is loaded only when it is asked for: an agent that runs for months carries nothing of the others. */
const commands: Readonly<Record<CommandName, () => Promise<Command>>> = {
  agent: async () => (await import('./agent.ts')).runAgent,
  lead: async () => (await import('./lead.ts')).runLead,
  verify: async () => (await import('./verify.ts')).runVerify,
  install: async () => (await import('./install.ts')).runInstall,
  uninstall: async () => (await import('./install.ts')).runUninstall,
  'uninstall-all': async () => (await import('./uninstall-all.ts')).runUninstallAll,
  status: async () => (await import('./status.ts')).runStatus,
  wg: async () => (await import('./wg.ts')).runWg,
  egress: async () => (await import('./egress.ts')).runEgress,
  pool: async () => (await import('./pool.ts')).runPool,
  cri: async () => (await import('./cri.ts')).runCri,
  probe: async () => (await import('./probe.ts')).runProbe,
}

/** Runs what the command line asks for. Never throws: a fault is told on stderr and by the exit code. */
export async function run(given: ProcessPorts): Promise<ExitCode> {
  const ports = { ...given, stdout: toPlainOutput(given.stdout), stderr: toPlainOutput(given.stderr) }
  try {
    const invocation = parseCommandLine(ports.args)
    if (invocation.kind === 'run') {
      const command = await commands[invocation.command]()
      return await command(ports, invocation.flags)
    }
    ports.stdout.write(invocation.kind === 'help' ? renderHelp(invocation.command) : `${ports.version}\n`)
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
