import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Test } from 'tap'
import { findFreePort } from '../../cluster/port.ts'
import { waitFor } from '../../machine/wait.ts'
import type { RemedyBed } from './bed.ts'

const main = join(import.meta.dirname, '../../../agent/main.ts')

export interface RunningLeader {
  readonly pid: number
  /** All that it has written. */
  text(): string
  metrics(): Promise<string>
  status(): Promise<unknown>
  stop(): Promise<void>
}

/** Seconds where a cluster has minutes. */
const quick = {
  NOPAL_REMEDY_WORKERS: 'true',
  NOPAL_REMEDY_DEADLINE: '1s',
  NOPAL_REMEDY_IMAGE: 'localhost/nopal',
  NOPAL_REMEDY_MAX_RETRIES: '1',
  NOPAL_REMEDY_DELETE_INTERVAL: '1s',
}

export const deleting = { NOPAL_REMEDY_DELETE_FAILED_NODES: 'true' }

/** `nopal lead` as a process, with the rights of its manifests; ends with the test. */
export async function startLeader(
  t: Test,
  { kubeconfig }: RemedyBed,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningLeader> {
  const port = await findFreePort(undefined)
  const all = { KUBECONFIG: kubeconfig, NOPAL_LEADER_LISTEN: `127.0.0.1:${port}`, ...quick, ...env }
  const child = spawn(process.execPath, [main, 'lead'], { env: all, stdio: 'pipe' })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more: string) => (text += more))
  const ended = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGKILL')
    await ended
  }
  t.teardown(stop)
  const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text()
  await waitFor({ what: 'the leader to serve', limitMs: 30_000 }, () => get('/healthz'))
  return {
    pid: child.pid ?? 0,
    text: () => text,
    metrics: () => get('/metrics'),
    status: async () => JSON.parse(await get('/status.json')) as unknown,
    stop,
  }
}
