/** A signal that comes some time after another one. */
export interface Grace {
  readonly signal: AbortSignal
  /** It is not needed any more. */
  end(): void
}

/** Gives work that undoes something so many milliseconds after the signal to end by itself. */
export function graceAfter(signal: AbortSignal, graceMs: number): Grace {
  const late = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const begin = () => {
    timer = setTimeout(() => late.abort(signal.reason), graceMs)
  }
  if (signal.aborted) begin()
  else signal.addEventListener('abort', begin, { once: true })
  return {
    signal: late.signal,
    end() {
      clearTimeout(timer)
      signal.removeEventListener('abort', begin)
    },
  }
}
