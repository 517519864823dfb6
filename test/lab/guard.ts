import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const sweeper = join(import.meta.dirname, '../../scripts/lab-clean.sh')
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Sees to it that a run is gone when its process is: a signal stops it in order, any other end (an uncaught error,
 * process.exit) sweeps it up.
 * @returns takes the guard away again
 */
export function guardRun(id: string, stop: () => Promise<void>): () => void {
  const sweep = () => {
    spawnSync('sh', [sweeper, '--quiet', id], { stdio: ['ignore', 'ignore', 'inherit'] })
  }
  // An impatient second signal finds the same stop under way and changes nothing.
  const stopThenDie = (signal: NodeJS.Signals) => {
    stop()
      .catch(sweep)
      .finally(() => {
        release()
        process.kill(process.pid, signal)
      })
  }
  const release = () => {
    process.removeListener('exit', sweep)
    for (const signal of signals) process.removeListener(signal, stopThenDie)
  }
  process.on('exit', sweep)
  for (const signal of signals) process.on(signal, stopThenDie)
  return release
}
