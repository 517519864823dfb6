/** Fields a person does not need to see on each line. */
const hidden = new Set(['level', 'time', 'msg', 'node', 'version'])

/** One JSON log line as text for a terminal: `12:00:01 info  Taint lifted  reason=Verified`. */
export function renderLine(line: string): string {
  const fields: Record<string, unknown> = JSON.parse(line)
  const time = String(fields.time ?? '').slice(11, 19)
  const level = String(fields.level ?? '').padEnd(5)
  const rest = Object.entries(fields).filter(([name]) => !hidden.has(name))
  const tail = rest.map(([name, value]) => `${name}=${renderValue(value)}`).join(' ')
  return `${time} ${level} ${String(fields.msg ?? '')}${tail === '' ? '' : `  ${tail}`}\n`
}

function renderValue(value: unknown): string {
  if (typeof value === 'string') return /^[\w.:/@%+-]+$/.test(value) ? value : JSON.stringify(value)
  if (isErrorLike(value)) return JSON.stringify(value.message)
  return JSON.stringify(value)
}

function isErrorLike(value: unknown): value is { message: string } {
  return typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
}
