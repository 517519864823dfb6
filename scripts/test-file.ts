import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import { readTap, type TapSummary } from './tap-output.ts'

export interface TestFileOptions {
  /** The folder it runs in, from which its path is told. */
  readonly cwd: string
  readonly timeoutMs: number
  /** How long it may take to clean up when its time is over, and again when it has been told so. */
  readonly graceMs: number
  /** Tells it to clean up and end at once. */
  readonly signal: AbortSignal
  /** Beside what this process has. */
  readonly env: Readonly<Record<string, string>>
}

/** Runs one file of tests, as `node FILE` does, and reads what it printed. */
export async function runTestFile(file: string, options: TestFileOptions): Promise<TapSummary> {
  const { cwd, timeoutMs, graceMs } = options
  const env = { ...process.env, ...options.env, TAP_TIMEOUT: `${timeoutMs / 1000}` }
  const child = spawn(process.execPath, [file], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  // tap itself ends a test whose time is over; what still runs then has to be told.
  const timers = [
    setTimeout(() => child.kill('SIGTERM'), timeoutMs + graceMs),
    setTimeout(() => child.kill('SIGKILL'), timeoutMs + 2 * graceMs),
  ]
  const end = () => child.kill('SIGTERM')
  options.signal.addEventListener('abort', end)
  const closed = once(child, 'close')
  const [stdout, stderr, [code, signal]] = await Promise.all([buffer(child.stdout), buffer(child.stderr), closed])
  for (const timer of timers) clearTimeout(timer)
  options.signal.removeEventListener('abort', end)
  const summary = readTap(stdout.toString(), { file, code, signal })
  const said = stderr.toString().slice(-4000).trimEnd()
  return summary.failed === 0 || said === '' ? summary : { ...summary, problems: [...summary.problems, said] }
}
