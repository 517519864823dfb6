import type { Test } from 'tap'
import { type KubeApi, KubeError, type KubeRequest } from '../../../../agent/kube/api.ts'
import { type Election, type LeaderState, startElection } from '../../../../agent/kube/election.ts'
import { LeaseObject } from '../../../../agent/kube/lease-object.ts'
import type { Term } from '../../../../agent/kube/term.ts'
import { createFakeClock, type FakeClock } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'

interface Stored {
  readonly metadata: { readonly resourceVersion: string }
  readonly spec: {
    readonly holderIdentity: string
    readonly leaseTransitions?: number
    readonly leaseDurationSeconds?: number
  }
}

/** One Lease and one object that leaders write to. */
export function createServer() {
  let version = 1
  let lease: Stored | undefined
  const written: string[] = []
  return {
    written,
    holder: () => lease?.spec.holderIdentity,
    transitions: () => lease?.spec.leaseTransitions,
    /** Somebody writes to the Lease without taking it. */
    touch() {
      version += 1
      if (lease !== undefined) lease = { ...lease, metadata: { resourceVersion: String(version) } }
    },
    /** Somebody deletes the Lease. */
    remove() {
      lease = undefined
    },
    /** A program of others holds the Lease, and says how long it may be silent. */
    put(holderIdentity: string, leaseDurationSeconds: number) {
      version += 1
      lease = { metadata: { resourceVersion: String(version) }, spec: { holderIdentity, leaseDurationSeconds } }
    },
    answer(request: KubeRequest): unknown {
      if (!request.path.includes('/leases')) {
        written.push(String(request.body))
        return {}
      }
      if (request.method === 'GET') {
        if (lease === undefined) throw new KubeError('NotFound', 'no lease', { status: 404 })
        return lease
      }
      const body = request.body as Stored
      if (lease?.metadata.resourceVersion !== body.metadata.resourceVersion)
        throw new KubeError('Conflict', 'changed', { status: 409 })
      version += 1
      lease = { metadata: { resourceVersion: String(version) }, spec: body.spec }
      return lease
    },
  }
}

type Server = ReturnType<typeof createServer>

interface Link {
  state: 'well' | 'cut' | 'hanging' | 'deaf'
}

/** A way to the server that can be cut, or be silent until its request is given up. */
export function linkTo(server: Server, link: Link): KubeApi {
  return {
    server: 'https://test',
    async request(request) {
      request.signal?.throwIfAborted()
      if (link.state === 'cut') throw new KubeError('Unreachable', 'cut')
      if (link.state === 'hanging') {
        await new Promise(resolve => request.signal?.addEventListener('abort', resolve, { once: true }))
        throw request.signal?.reason
      }
      const answer = server.answer(request)
      // Done, and nobody hears of it.
      if (link.state === 'deaf') throw new KubeError('TimedOut', 'no answer')
      return answer
    },
  }
}

export interface Candidate {
  readonly election: Election
  readonly clock: FakeClock
  readonly link: Link
  readonly states: LeaderState[]
  readonly log: ReturnType<typeof createRecordingLogger>
  term(): Term | undefined
}

interface Manner {
  readonly clock?: FakeClock
  readonly state?: Link['state']
  /** What is done in a term. */
  readonly work?: (term: Term) => Promise<unknown>
}

export const untilEnd = ({ signal }: Term) =>
  new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))

export function stand(t: Test, server: Server, holder: string, manner: Manner = {}): Candidate {
  const { clock = createFakeClock(), state = 'well', work = untilEnd } = manner
  const link: Link = { state }
  const api = linkTo(server, link)
  const states: LeaderState[] = []
  let term: Term | undefined
  const log = createRecordingLogger()
  const election = startElection({
    api,
    lease: new LeaseObject({ api, namespace: 'nopal', name: 'nopal-leader', holder, clock }),
    async lead(begun) {
      term = begun
      await work(begun).finally(() => {
        term = undefined
      })
    },
    onState: state => void states.push(state),
    clock,
    random: () => 0,
    log,
  })
  t.teardown(() => {
    link.state = 'cut'
    return Promise.race([election.stop(), clock.advance(1)])
  })
  return { election, clock, link, states, log, term: () => term }
}

/** Moves several clocks on as one. */
export async function advance(ms: number, ...clocks: readonly FakeClock[]): Promise<void> {
  for (let past = 0; past < ms; past += 500) for (const clock of clocks) await clock.advance(500)
}
