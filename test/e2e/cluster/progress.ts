/** Tells a person what happens, with the seconds since the start before it. */
export type Say = (text: string) => void

/** Lines like `cluster: 3.2 s  API server ready`. */
export function sayTo(stream: { write(text: string): unknown }): Say {
  const start = performance.now()
  return text => {
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    stream.write(`cluster: ${seconds.padStart(5)} s  ${text}\n`)
  }
}
