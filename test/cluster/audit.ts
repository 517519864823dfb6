import { readFile } from 'node:fs/promises'

/** One request as the server recorded it. */
export interface AuditLine {
  readonly user: string
  /** get, list, watch, create, update, patch, delete; for paths that are no resource the HTTP method in lower case. */
  readonly verb: string
  /** Path without the query. */
  readonly path: string
  /** The query without its `?`; empty where there is none. */
  readonly query: string
  readonly code: number
  readonly userAgent: string
  /** When the server received it, milliseconds since 1970. */
  readonly time: number
}

/** The audit policy of the real server. A watch is recorded when it starts, everything else when it is answered. */
export const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
# What the server asks of itself, hundreds of lines.
- level: None
  users: ["system:apiserver"]
- level: Metadata
`

/** Reads an audit log, which both servers write in the real one's format. */
export async function readAudit(file: string): Promise<AuditLine[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  // The last part is empty, or a line that is still being written.
  return text.split('\n').slice(0, -1).flatMap(toAuditLine)
}

interface AuditEvent {
  readonly stage: string
  readonly verb: string
  readonly requestURI: string
  readonly requestReceivedTimestamp: string
  readonly user?: { readonly username?: string }
  readonly userAgent?: string
  readonly responseStatus?: { readonly code?: number }
}

function toAuditLine(line: string): AuditLine[] {
  const event = JSON.parse(line) as AuditEvent
  if (!isCounted(event)) return []
  const [path = '', query = ''] = event.requestURI.split('?', 2)
  return [
    {
      user: event.user?.username ?? '',
      verb: event.verb,
      path,
      query,
      code: event.responseStatus?.code ?? 0,
      userAgent: event.userAgent ?? '',
      time: Date.parse(event.requestReceivedTimestamp),
    },
  ]
}

/** A watch that started is told again when it ends; one that was refused is told only then. */
function isCounted(event: AuditEvent): boolean {
  const started = event.verb === 'watch' && event.responseStatus?.code === 200
  return started ? event.stage === 'ResponseStarted' : event.stage !== 'ResponseStarted'
}
