/** Time for a question to clean up and to name its own reason after its signal fired. */
const graceMs = 250

/** Thrown by `withDeadline` when the work did not end in time. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
  readonly code = 'Deadline'
}

/**
 * Runs `work` with a signal that fires after `limitMs`, or when `parent` does.
 * Work that ignores its signal is left behind: the caller goes on after a short grace.
 * @throws DeadlineError, the parent's reason, or what the work throws
 */
export async function withDeadline<T>(
  limitMs: number,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  parent.throwIfAborted()
  const controller = new AbortController()
  const { promise: end, reject } = Promise.withResolvers<never>()
  const late = () => new DeadlineError(`no end within ${limitMs} ms`)
  const onParent = () => {
    controller.abort(parent.reason)
    reject(parent.reason)
  }
  parent.addEventListener('abort', onParent, { once: true })
  const limit = setTimeout(() => controller.abort(late()), limitMs)
  const backstop = setTimeout(() => reject(late()), limitMs + graceMs)
  try {
    return await Promise.race([work(controller.signal), end])
  } finally {
    clearTimeout(limit)
    clearTimeout(backstop)
    parent.removeEventListener('abort', onParent)
  }
}
