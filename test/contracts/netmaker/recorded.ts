import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One recorded call and what the real server said. */
export interface Exchange {
  readonly about: string
  /** What was done just before by other means. */
  readonly setup?: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    readonly body?: unknown
    readonly rawBody?: string
  }
  readonly response?: RecordedAnswer
  /** So many at once, and how many of them had which answer. */
  readonly parallel?: number
  readonly responses?: readonly { readonly count: number; readonly status: number; readonly body?: unknown }[]
}

export interface RecordedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | null>>
  readonly body?: unknown
  readonly rawBody?: string
  readonly trimmed?: boolean
}

/** In the order of recording: each goes on where the one before ended. */
export const topics = [
  'auth',
  'server',
  'networks',
  'hosts',
  'nodes',
  'egress-list',
  'egress-create',
  'egress-update',
  'egress-delete',
  'errors',
  'parallel',
  'effect',
  'lifecycle',
  'faults',
] as const

export async function readRecorded(topic: string): Promise<readonly Exchange[]> {
  const file = join(import.meta.dirname, `../../fixtures/recorded/netmaker/${topic}.json`)
  return JSON.parse(await readFile(file, 'utf8')) as readonly Exchange[]
}
