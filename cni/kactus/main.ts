import { fstatSync, readFileSync, writeSync } from 'node:fs'
import { readAll } from '../host/stdin.ts'
import { errorCode } from '../host/system-error.ts'
import type { Environment } from './request.ts'
import { type CniProcess, dispatch } from './skel.ts'

declare const NOPAL_VERSION: string | undefined

const STDIN = 0
const STDOUT = 1
const STDERR = 2
const LIMITS = { maxBytes: 4 * 1024 * 1024, timeoutMs: 30_000 }

const openProcess = (): CniProcess => ({
  env: readEnvironment(),
  version: typeof NOPAL_VERSION === 'string' ? NOPAL_VERSION : 'development',
  readStdin: () => (isTerminal(STDIN) ? Promise.resolve('') : readAll(STDIN, LIMITS)),
  stdout: text => writeAll(STDOUT, text),
  stderr: text => writeAll(STDERR, text),
})

/**
 * What the runtime set, from the kernel: the executables start without any variable, so that none means anything to the
 * engine in them.
 */
function readEnvironment(): Environment {
  const lines = readFileSync('/proc/self/environ', 'utf8').split('\0')
  const pairs = lines.map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const)
  // Of two with one name the first counts, as for every other program.
  return Object.fromEntries(pairs.filter(([name]) => name !== '').toReversed())
}

/** A person at a terminal sends no configuration. Loading node:tty to ask would take longer than all of VERSION. */
function isTerminal(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).rdev >> 8 === PTY_MAJOR
  } catch {
    return false
  }
}

const PTY_MAJOR = 136

/** Whole and at once: the process ends right after. */
function writeAll(descriptor: number, text: string): void {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest))
    } catch (error) {
      const code = errorCode(error)
      // A reader that is slow is waited for; one that is gone is not.
      if (code !== 'EAGAIN') return
    }
  }
}

async function main(): Promise<void> {
  let code = 1
  try {
    const io = openProcess()
    code = await dispatch(io, async () => (await import('./serve.ts')).serve(io, process.getuid?.() ?? 0))
  } catch (error) {
    writeAll(STDERR, `kactus: ${error instanceof Error ? error.stack : String(error)}\n`)
  }
  // Whatever is still open (a slow reader of a socket, a timer) must not keep the runtime waiting.
  process.exit(code)
}

void main()
