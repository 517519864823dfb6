/** Waits. Node's own promise of a timer is in a module that costs a plugin's start-up a millisecond. */
export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
