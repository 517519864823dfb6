import { spawn } from 'node:child_process'

/** What a program left behind. */
export interface Output {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly input?: string | undefined
  readonly timeoutMs?: number | undefined
}

/** A program that had to succeed did not. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code = 'CommandFailed'
  readonly output: Output

  constructor(argv: readonly string[], output: Output) {
    const said = (output.stderr.trim() || output.stdout.trim()).slice(-2000)
    super(`${argv.join(' ')}: ended with ${output.code}: ${said}`)
    this.output = output
  }
}

/** Runs a program to its end and gathers what it printed. A program killed by a signal, or by the limit, has code 128 or more. */
export function collect(argv: readonly string[], options: CommandOptions = {}): Promise<Output> {
  const [file = '', ...rest] = argv
  return new Promise((resolve, reject) => {
    const child = spawn(file, rest, { env: options.env, timeout: options.timeoutMs ?? 60_000, killSignal: 'SIGKILL' })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.on('error', reject)
    child.on('close', code => {
      resolve({ code: code ?? 137, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() })
    })
    // A program that ends before it has read all its input is no fault of the caller.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}
