import pino from 'pino'
import { describeError } from './error-fields.ts'
import { renderLine } from './log-text.ts'

/** What a line carries besides its message. An error goes under `err`. */
export type LogFields = Readonly<Record<string, unknown>>

/** Where the agent's parts say what they do. Kept this small so that a test can bring its own. */
export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  /** A logger that adds these fields to each of its lines. */
  child(fields: LogFields): Logger
}

/** One whose level can be changed while it is used. */
export interface LeveledLogger extends Logger {
  level: string
}

export interface LogSettings {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly format: 'json' | 'text'
  /** Where lines go. `nopal agent` logs to stdout, as containers do; the other subcommands keep stdout for their one document. */
  readonly output: LogOutput
  /** Fields of every line that has none of that name of its own. */
  readonly base: LogFields
}

/** The part of a writable stream that logging needs. */
export interface LogOutput {
  write(line: string): unknown
}

/** Names whose values never reach a log, wherever in the fields they stand (two levels deep). */
const secretNames = ['token', 'password', 'authorization', 'Authorization', 'clientKeyPem', 'secret'] as const

export function createLogger(settings: LogSettings): LeveledLogger {
  const { output } = settings
  const destination = settings.format === 'json' ? output : { write: (line: string) => output.write(renderLine(line)) }
  return pino(
    {
      level: settings.level,
      base: null,
      // Not pino's own base: what a line says of another node would be a second `node` beside it.
      mixin: () => ({ ...settings.base }),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      serializers: { err: describeError },
      redact: { paths: secretNames.flatMap(name => [name, `*.${name}`, `*.*.${name}`]), censor: '[secret]' },
    },
    destination,
  )
}
