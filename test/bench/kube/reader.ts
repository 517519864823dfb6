import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { createKubeClient } from '../../../agent/kube/client.ts'
import type { KubeCredentials } from '../../../agent/kube/credentials.ts'
import { fixedCredentials } from '../../../agent/kube/follow-credentials.ts'
import { startInformer } from '../../../agent/kube/informer.ts'
import { parseNode } from '../../../agent/kube/node.ts'
import { systemClock } from '../../../agent/runtime/clock.ts'
import { createRecordingLogger } from '../../unit/agent/runtime/recording-logger.ts'

// Follows all Nodes, and tells what that cost. The first message is how to reach the server.

/** What the first sync cost. */
export interface Synced {
  readonly syncMs: number
  readonly syncCpuMs: number
  readonly known: number
  readonly beforeKb: number
  readonly peakKb: number
  readonly settledKb: number
}

/** What events cost from `start` to `end`. */
export interface Costs {
  readonly seen: number
  readonly cpuMs: number
}

const [credentials] = (await once(process, 'message')) as [KubeCredentials]
const api = createKubeClient({
  credentials: fixedCredentials(credentials),
  userAgent: 'nopal/reader',
})
await api.request({ method: 'GET', path: '/api/v1/nodes', query: { limit: '1' } })
const beforeKb = await settle()
const startedMs = performance.now()
let cpu = process.cpuUsage()
const log = createRecordingLogger()
const informer = startInformer({
  ...{ api, path: '/api/v1/nodes', query: {}, parse: parseNode, log, clock: systemClock, random: Math.random },
})
let seen = 0
const synced = Promise.withResolvers<void>()
informer.subscribe(changes => {
  seen += changes.length
  if (informer.synced()) synced.resolve()
})
await synced.promise
const syncMs = performance.now() - startedMs
const syncCpuMs = cpuMsSince(cpu)
const peakKb = process.resourceUsage().maxRSS
const known = [...informer.values()].length
tell({ syncMs, syncCpuMs, known, beforeKb, peakKb, settledKb: await settle() } satisfies Synced)

process.on('message', async (what: unknown) => {
  if (what === 'start') {
    seen = 0
    cpu = process.cpuUsage()
    return tell('started')
  }
  for (let before = -1; before !== seen; await sleep(200)) before = seen
  tell({ seen, cpuMs: cpuMsSince(cpu) } satisfies Costs)
})
process.on('disconnect', () => process.exit(0))

/** Resident memory once what is garbage has been given back. */
async function settle(): Promise<number> {
  await sleep(500)
  globalThis.gc?.()
  await sleep(200)
  return Math.round(process.memoryUsage.rss() / 1024)
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

function tell(message: unknown): void {
  process.send?.(message)
}
