import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { until } from '../machine/wait.ts'

/**
 * Waits until a program has gone to sleep and come back so often that it must have looked around: whatever it would do
 * at once it has done by then.
 */
export async function looksAround({ pid }: ChildProcess): Promise<void> {
  const turns = () => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1])
  }
  const start = turns()
  await until('it to have looked around', () => turns() > start + 20)
}
