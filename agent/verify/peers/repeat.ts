import { pause, systemClock } from '../../runtime/clock.ts'

const sendsMs = [0, 100, 300, 600, 1000, 1500, 2000]

/** Sends a datagram, and again as if it were lost, until the signal fires. */
export function sendAgain(send: () => void, done: AbortSignal): void {
  for (const atMs of sendsMs) {
    void pause(systemClock, atMs, done).then(() => {
      if (!done.aborted) send()
    })
  }
}
