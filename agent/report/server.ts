import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Endpoint } from '../config/settings.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { renderPage } from './page.ts'
import type { Status } from './status.ts'

/** What the server serves, and where. */
export interface ReportOptions {
  readonly listen: Endpoint
  readonly metrics: Pick<Metrics, 'contentType' | 'render'>
  readonly status: Status
}

/** The running server. */
export interface ReportServer {
  /** The port it got; another one than asked for where that was 0. */
  readonly port: number
  close(): Promise<void>
}

interface Reply {
  readonly code: number
  readonly type: string
  readonly body: string
}

const text = 'text/plain; charset=utf-8'
const json = 'application/json'
const html = 'text/html; charset=utf-8'

/** Slow clients must not hold sockets of the node's agent. */
const limits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
}
const mostConnections = 100

/**
 * Serves metrics, probes and the status page.
 * @throws the error of listen(2), such as EADDRINUSE
 */
export async function startReportServer(options: ReportOptions): Promise<ReportServer> {
  const server = createServer(limits, (request, response) => void respond(request, response, options))
  server.maxConnections = mostConnections
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  const { host, port } = options.listen
  // Without a host Node listens on every address of both families.
  server.listen({ port, ...(host === '' ? {} : { host }) }, resolve)
  await promise
  return { port: portOf(server), close: () => close(server) }
}

async function respond(request: IncomingMessage, response: ServerResponse, options: ReportOptions): Promise<void> {
  const reply = await answer(request, options).catch((): Reply => ({ code: 500, type: text, body: 'internal fault\n' }))
  response.writeHead(reply.code, {
    'content-type': reply.type,
    'content-length': Buffer.byteLength(reply.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(reply.code === 405 ? { allow: 'GET, HEAD' } : {}),
    ...(reply.type === html ? { 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'" } : {}),
  })
  response.end(reply.body)
}

async function answer(request: IncomingMessage, options: ReportOptions): Promise<Reply> {
  const route = routes[(request.url ?? '').split('?')[0] ?? '']
  if (route === undefined) return { code: 404, type: text, body: 'not found\n' }
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { code: 405, type: text, body: 'only GET and HEAD\n' }
  return route(options)
}

type Route = (options: ReportOptions) => Reply | Promise<Reply>

const routes: Readonly<Record<string, Route>> = Object.assign(Object.create(null), {
  '/': ({ status }) => ({ code: 200, type: html, body: renderPage(status) }),
  '/status.json': ({ status }) => ({ code: 200, type: json, body: `${JSON.stringify(status.document())}\n` }),
  '/metrics': async ({ metrics }) => ({ code: 200, type: metrics.contentType, body: await metrics.render() }),
  // Says only that the process can answer: restarting the agent mends neither the API nor DNS.
  '/healthz': () => ({ code: 200, type: text, body: 'ok\n' }),
  '/readyz': ({ status }) => toVerdict(status.document().missing),
  '/health': ({ status }) => toVerdict(status.document().problems),
} satisfies Record<string, Route>)

/** Nothing is wrong, or what is, a line each. */
function toVerdict(wrong: readonly string[]): Reply {
  if (wrong.length === 0) return { code: 200, type: text, body: 'ok\n' }
  return { code: 503, type: text, body: `${wrong.join('\n')}\n` }
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeAllConnections()
  await promise
}
