/** One thing the agent keeps doing. The loop owns timers, backoff, logging and single flight; a duty only does its work. */
export interface Duty {
  readonly name: string
  /**
   * Brings the world one step nearer to what is wanted.
   * @returns milliseconds until it wants to run again; undefined = only when woken
   * @throws anything: the loop logs it once and comes back with backoff
   */
  reconcile(signal: AbortSignal): Promise<number | undefined>
  /** Called once, after the last run: gives up what the duty holds. */
  close?(): Promise<unknown>
}

/** A duty at work, with its loop. */
export interface Running {
  stop(): Promise<unknown>
}
