import type { WorkerCounts } from '../lookup/workers.ts'
import type { Verdict } from '../verify/verdict.ts'
import { createOwnMetrics } from './own-metrics.ts'
import { Registry } from './prometheus.ts'
import { createSeedMetrics } from './seed-metrics.ts'

/** Where the agent's parts say what happened. Nothing here throws. */
export interface Metrics {
  /** Content of `/metrics` and its media type. */
  readonly contentType: string
  render(): Promise<string>
  recordVerdict(verdict: Verdict, timeMs: number): void
  /** A verification starts because the one before it failed. */
  recordRetry(): void
  /** A request to the Kubernetes API ended; the code is the HTTP status or the way it failed. */
  recordKubeRequest(verb: string, code: string): void
  /** A duty failed, or works again. */
  recordDuty(name: string, works: boolean): void
  /** The gate wrote its Node. */
  recordGateWrite(write: GateWrite): void
  /** kactus asked: it was answered, told that we do not know, was not understood, or hung up on. */
  recordLookup(outcome: 'known' | 'unknown' | 'bad' | 'refused'): void
  /** How many pods on this node were made to verify it, by phase. */
  recordWorkers(counts: WorkerCounts): void
}

/** One write of the gate; lifting the taint sets the label in the same patch. */
export interface GateWrite {
  readonly action: 'lift' | 'add'
  readonly ok: boolean
  readonly seconds: number
}

/** What is constant for the life of the process. */
export interface MetricsOptions {
  readonly node: string
  readonly version: string
  readonly commit?: string
  readonly buildDate?: string
}

/** All series of this node, in a registry of their own. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry()
  const own = createOwnMetrics(registry, options)
  const seed = createSeedMetrics(registry, options)
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    recordVerdict(verdict, timeMs) {
      own.recordVerdict(verdict)
      seed.recordVerdict(verdict, timeMs)
    },
    recordWorkers: counts => seed.recordWorkers(counts),
    recordRetry: () => seed.recordRetry(),
    recordDuty: (name, works) => seed.recordDuty(name, works),
    recordKubeRequest: (verb, code) => own.recordKubeRequest(verb, code),
    recordLookup: outcome => own.recordLookup(outcome),
    recordGateWrite(write) {
      own.recordGateWrite(write)
      seed.recordGateWrite(write)
    },
  }
}
