import type { LogFields, Logger } from '../../../../agent/runtime/log.ts'

/** A logger that keeps its lines: `[level, message, fields]`. */
export interface RecordingLogger extends Logger {
  readonly lines: readonly (readonly [level: string, message: string, fields: LogFields])[]
}

export function createRecordingLogger(): RecordingLogger {
  const lines: [string, string, LogFields][] = []
  const at = (level: string) => (fields: LogFields, message: string) => {
    lines.push([level, message, fields])
  }
  const logger: RecordingLogger = {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  }
  return logger
}
