import { openSync, writeSync } from 'node:fs'
import type { RequestInfo } from './request.ts'

/** What is recorded of a request, in the real server's words. */
export interface AuditEntry {
  readonly stage: 'ResponseStarted' | 'ResponseComplete'
  readonly info: RequestInfo
  readonly url: string
  readonly user: string
  readonly userAgent: string
  readonly code: number
  readonly receivedMs: number
}

/** Appends lines to a file; each is on disk before the answer it tells of is sent. */
export function openAuditLog(file: string): (entry: AuditEntry) => void {
  const descriptor = openSync(file, 'a', 0o600)
  return entry => {
    const line = {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'Metadata',
      stage: entry.stage,
      requestURI: entry.url,
      verb: entry.info.verb,
      user: { username: entry.user },
      userAgent: entry.userAgent,
      responseStatus: { metadata: {}, code: entry.code },
      requestReceivedTimestamp: new Date(entry.receivedMs).toISOString(),
    }
    writeSync(descriptor, `${JSON.stringify(line)}\n`)
  }
}
