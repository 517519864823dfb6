import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createKubeClient } from '../../agent/kube/client.ts'
import { startElection } from '../../agent/kube/election.ts'
import { fixedCredentials } from '../../agent/kube/follow-credentials.ts'
import { LeaseObject } from '../../agent/kube/lease-object.ts'
import type { Term } from '../../agent/kube/term.ts'
import { systemClock } from '../../agent/runtime/clock.ts'
import { credentialsFor } from '../unit/agent/kube/test-server.ts'
import { createRecordingLogger } from '../unit/agent/runtime/recording-logger.ts'

// A leader that does nothing but work: it writes a line to a file, and to a ConfigMap, as fast as it may. The first
// message is its configuration.

export interface CandidateConfig {
  readonly url: string
  readonly ca: string
  readonly token: string | undefined
  /** Who it is in the file, and as a client of the server. */
  readonly name: string
  readonly lease: string
  readonly file: string
  /** Path of the ConfigMap. */
  readonly object: string
  /** How far its clock of day is from ours. */
  readonly skewMs: number
}

const [config] = (await once(process, 'message')) as [CandidateConfig]
const { name, lease, file, object, skewMs } = config
const credentials = fixedCredentials(credentialsFor(config.url, { caPem: config.ca, token: config.token }))
const api = createKubeClient({ credentials, userAgent: name })
const clock = { ...systemClock, now: () => Date.now() + skewMs }
let terms = 0
const election = startElection({
  ...{ api, clock, random: Math.random, log: createRecordingLogger(), onState: () => undefined },
  lease: new LeaseObject({ api, namespace: 'kube-system', name: lease, holder: name, clock }),
  async lead(term) {
    terms += 1
    await Promise.all([writeLines(term, `${name}/${terms}\n`), writeObject(term, `${name}/${terms}`)])
  },
})
process.on('SIGTERM', () => void election.stop().then(() => process.exit(0)))
process.on('disconnect', () => process.exit(0))
process.send?.('ready')

/** A server that knows no preconditions: nothing but the fence stands between it and a leader of yesterday. */
async function writeLines({ signal, fence }: Term, line: string): Promise<void> {
  while (!signal.aborted) {
    try {
      fence()
      appendFileSync(file, line)
    } catch {
      // Not our turn, or not any more; if it is over the signal says so.
    }
    await sleep(5)
  }
}

async function writeObject({ signal, api: fenced }: Term, value: string): Promise<void> {
  const how = { method: 'PATCH', path: object, contentType: 'application/merge-patch+json' } as const
  while (!signal.aborted) {
    await fenced.request({ ...how, body: { data: { value } }, signal }).catch(() => undefined)
    await sleep(50)
  }
}
