import { execFile } from 'node:child_process'

/** Children get this and nothing of ours: a machine must not depend on who started it. */
export const bareEnv: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
}

/**
 * All that we were given: for whatever may build or fetch, which reaches registries by the proxies, authorities and
 * settings that its caller names.
 */
export const callerEnv: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({ ...bareEnv, ...process.env }).map(([name, value = '']) => [name, value]),
)

export interface CommandOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

/** A program that had to succeed did not. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
  readonly code = 'CommandFailed'
  readonly stdout: string
  readonly stderr: string

  constructor(argv: readonly string[], stdout: string, stderr: string, cause: Error) {
    super(`${argv.join(' ').slice(0, 300)}: ${(stderr.trim() || stdout.trim() || cause.message).slice(-1500)}`, {
      cause,
    })
    this.stdout = stdout
    this.stderr = stderr
  }
}

/** Runs a program to its end and returns what it printed. */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const [file = '', ...args] = argv
  const settings = {
    env: { ...bareEnv, ...options.env },
    timeout: options.timeoutMs ?? 60_000,
    killSignal: 'SIGKILL' as const,
    maxBuffer: 64 * 1024 * 1024,
  }
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, settings, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new CommandFailed(argv, stdout, stderr, error))
    })
    // A program that ends before it has read its input is judged by its exit code.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(options.input ?? '')
  })
}
