import { appendFileSync } from 'node:fs'

export type LogLevel = 'error' | 'info' | 'debug'

/** Facts of a line beside its message. Only what is named here gets printed, so no configuration or token can slip in. */
export interface LogFacts {
  readonly verb?: string | undefined
  readonly container?: string | undefined
  readonly pod?: string | undefined
  readonly network?: string | undefined
  readonly interface?: string | undefined
  readonly plugin?: string | undefined
  readonly code?: number | undefined
  readonly ms?: number | undefined
  readonly count?: number | undefined
}

/** Writes one JSON document per line. Failing to log never fails the work. */
export interface Log {
  error(message: string, facts?: LogFacts): void
  info(message: string, facts?: LogFacts): void
  debug(message: string, facts?: LogFacts): void
}

export interface LogOptions {
  readonly level: LogLevel
  /** File to append to; undefined = `fallback`. */
  readonly file: string | undefined
  readonly prefix?: string | undefined
  readonly fallback: (line: string) => void
  /** On each line. */
  readonly facts?: LogFacts
}

const RANK: Readonly<Record<LogLevel, number>> = { error: 1, info: 2, debug: 3 }

export function createLog(options: LogOptions): Log {
  const at = (level: LogLevel) => (message: string, facts?: LogFacts) => {
    if (RANK[level] > RANK[options.level]) return
    const time = new Date().toISOString()
    const msg = options.prefix === undefined ? message : `${options.prefix}${message}`
    write(options, `${JSON.stringify({ time, level, msg, ...options.facts, ...facts })}\n`)
  }
  return { error: at('error'), info: at('info'), debug: at('debug') }
}

function write(options: LogOptions, line: string): void {
  if (options.file === undefined) {
    options.fallback(line)
    return
  }
  try {
    appendFileSync(options.file, line, { mode: 0o600 })
  } catch {
    options.fallback(line)
  }
}
