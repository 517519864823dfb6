import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { Test } from 'tap'
import { ownLoopback } from '../../cluster/own-loopback.ts'
import { begin, collect, type Output } from '../../machine/command.ts'
import { until } from '../../machine/wait.ts'

const main = join(import.meta.dirname, '../../../agent/main.ts')

export type Environment = Readonly<Record<string, string>>

export interface RunningLeader {
  readonly process: ChildProcess
  /** All that it has written. */
  text(): string
  get(path: string): Promise<{ readonly code: number; readonly text: string }>
  metrics(): Promise<string>
  status(): Promise<unknown>
  /** Kills it. */
  stop(): Promise<void>
}

/** `nopal lead` as a process that knows nothing of this machine but what it is given; ends with the test. */
export async function startLeader(t: Test, env: Environment): Promise<RunningLeader> {
  const listen = `${ownLoopback()}:8081`
  const { child, ended, text } = begin([process.execPath, main, 'lead'], {
    env: { NOPAL_LEADER_LISTEN: listen, ...env },
    timeoutMs: 0,
  })
  const stop = async () => {
    child.kill('SIGKILL')
    await ended
  }
  t.teardown(stop)
  const get = async (path: string) => {
    const answer = await fetch(`http://${listen}${path}`)
    return { code: answer.status, text: await answer.text() }
  }
  await until('the leader to serve', () => get('/healthz'), { limitMs: 60_000, despiteErrors: true })
  return {
    process: child,
    text,
    get,
    metrics: async () => (await get('/metrics')).text,
    status: async () => JSON.parse((await get('/status.json')).text) as unknown,
    stop,
  }
}

/** A command of `nopal` that ends by itself. */
export function runNopal(args: readonly string[], env: Environment): Promise<Output> {
  return collect([process.execPath, main, ...args], { env })
}
