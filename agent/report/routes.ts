import type { Metrics } from '../runtime/metrics.ts'
import { readStatus } from './document.ts'
import type { Status } from './status.ts'

/** What is told, and of what. */
export interface ReportSources {
  readonly metrics: Pick<Metrics, 'contentType' | 'render'>
  readonly status: Status
}

/** An answer to a request. */
export interface Reply {
  readonly code: number
  readonly type: string
  readonly body: string
  /** Beside those that every answer has. */
  readonly headers?: Readonly<Record<string, string>>
}

/** What a path answers to GET. */
export type Route = () => Reply | Promise<Reply>

/** Path to answer; has no paths but its own. */
export type Routes = Readonly<Record<string, Route>>

const text = 'text/plain; charset=utf-8'
const json = 'application/json'
const html = 'text/html; charset=utf-8'

/** A short answer in words. */
export function words(code: number, sentence: string): Reply {
  return { code, type: text, body: `${sentence}\n` }
}

/** Health for kubelet, which asks from the node itself. */
export function probeRoutes({ status }: Pick<ReportSources, 'status'>): Routes {
  return routes({
    // Says only that the process can answer: restarting the agent mends neither the API nor DNS.
    '/healthz': () => words(200, 'ok'),
    '/readyz': () => toVerdict(status.document().missing),
  })
}

/** Everything, for whoever asks. */
export function reportRoutes({ metrics, status }: ReportSources): Routes {
  return routes({
    ...probeRoutes({ status }),
    '/': () => page(status),
    '/status.json': () => ({ code: 200, type: json, body: `${JSON.stringify(status.document())}\n` }),
    '/metrics': async () => ({ code: 200, type: metrics.contentType, body: await metrics.render() }),
    '/health': () => toVerdict(status.document().problems),
  })
}

/** Loaded when somebody looks: nobody else pays for it. */
async function page(status: Status): Promise<Reply> {
  const { pagePolicy, renderPage } = await import('./page/page.ts')
  const headers = { 'content-security-policy': pagePolicy }
  return { code: 200, type: html, body: renderPage(readStatus(status.document())), headers }
}

function routes(paths: Routes): Routes {
  return Object.assign(Object.create(null), paths)
}

/** Nothing is wrong, or what is, a line each. */
function toVerdict(wrong: readonly string[]): Reply {
  return wrong.length === 0 ? words(200, 'ok') : words(503, wrong.join('\n'))
}
