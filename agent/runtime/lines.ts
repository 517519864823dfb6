/** Lines of a stream, one at a time. */
export interface LineReader {
  /** The next line; undefined = the stream has ended without another whole one. */
  next(): Promise<string | undefined>
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>
}

/** Reads lines as they come. Node's own `readline` costs an agent half a megabyte for the same. */
export function readLines(stream: NodeJS.ReadableStream): LineReader {
  const lines: string[] = []
  let rest = ''
  let isOver = false
  let wake = () => {}
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string | Buffer) => {
    const parts = (rest + String(chunk)).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
    wake()
  })
  const ended = new Promise<void>(resolve => {
    const end = () => {
      isOver = true
      wake()
      resolve()
    }
    for (const event of ['end', 'close', 'error']) stream.on(event, end)
  })
  return {
    ended,
    async next() {
      while (lines.length === 0 && !isOver) await new Promise<void>(resolve => (wake = resolve))
      return lines.shift()
    },
  }
}
