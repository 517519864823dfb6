import { type ChildProcess, spawn } from 'node:child_process'

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
  readonly input?: string | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly timeoutMs?: number | undefined
}

/** What a program left behind. */
export interface Output {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A program that had to succeed did not. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
  readonly code = 'CommandFailed'
  readonly output: Output

  constructor(argv: readonly string[], output: Output) {
    const said = (output.stderr.trim() || output.stdout.trim()).slice(-2000)
    super(`${argv.join(' ').slice(0, 300)}: ended with ${output.code}: ${said}`)
    this.output = output
  }
}

/** A program that was begun. */
export interface Begun {
  readonly child: ChildProcess
  readonly ended: Promise<Output>
  /** All that it has said so far, on either stream. */
  text(): string
}

/**
 * Starts a program with these variables alone, and gathers what it prints. One that is killed by a signal, or by the
 * limit, has code 137.
 */
export function begin(
  argv: readonly string[],
  { input = '', env, cwd, timeoutMs = 60_000 }: CommandOptions & { readonly cwd?: string } = {},
): Begun {
  const [file = '', ...rest] = argv
  const child = spawn(file, rest, { env, cwd, timeout: timeoutMs, killSignal: 'SIGKILL' })
  const said: { readonly from: 'stdout' | 'stderr'; readonly chunk: Buffer }[] = []
  for (const from of ['stdout', 'stderr'] as const)
    child[from].on('data', (chunk: Buffer) => said.push({ from, chunk }))
  const textOf = (parts: typeof said) => Buffer.concat(parts.map(({ chunk }) => chunk)).toString()
  const ended = new Promise<Output>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => {
      const [stdout, stderr] = ['stdout', 'stderr'].map(stream => textOf(said.filter(({ from }) => from === stream)))
      resolve({ code: code ?? 137, stdout: stdout ?? '', stderr: stderr ?? '' })
    })
  })
  // A program that ends before it has read all its input is judged by its exit code.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return { child, ended, text: () => textOf(said) }
}

/** Runs a program to its end as `begin` starts it. */
export function collect(argv: readonly string[], options: CommandOptions = {}): Promise<Output> {
  return begin(argv, options).ended
}

/**
 * Runs a program that must succeed and returns what it printed.
 * @throws CommandFailed
 */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const output = await collect(argv, { ...options, env: { ...bareEnv, ...options.env } })
  if (output.code !== 0) throw new CommandFailed(argv, output)
  return output.stdout
}

/**
 * argv that runs a program in a network, with the file system that we have.
 * @param netns path of its namespace; undefined = ours
 */
export function inNetwork(netns: string | undefined, argv: readonly string[]): string[] {
  return netns === undefined ? [...argv] : ['nsenter', `--net=${netns}`, '--', ...argv]
}
