import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Endpoint } from '../config/parsers.ts'
import type { Listener } from '../runtime/listen-duty.ts'
import { type Shares, shareConnections } from './connection-shares.ts'
import { type Reply, type Routes, words } from './routes.ts'

/** What a server serves, and where. */
export interface ReportOptions {
  readonly listen: Endpoint
  readonly routes: Routes
  readonly shares: Shares
}

/** Slow clients must not hold sockets of the node's agent, nor large ones its memory. */
const limits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8 * 1024,
}
/** Of a client that does not read its answer. */
const silentMs = 5_000

/**
 * Serves the routes.
 * @throws the error of listen(2), such as EADDRINUSE
 */
export async function startReportServer({ listen, routes, shares }: ReportOptions): Promise<Listener> {
  const server = createServer(limits, (request, response) => void respond(request, response, routes))
  server.setTimeout(silentMs)
  shareConnections(server, shares)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  const { host, port } = listen
  // Without a host Node listens on every address of both families.
  server.listen({ port, ...(host === '' ? {} : { host }) }, resolve)
  await promise
  return { port: portOf(server), close: () => close(server) }
}

async function respond(request: IncomingMessage, response: ServerResponse, routes: Routes): Promise<void> {
  const reply = await answer(request, routes).catch((): Reply => words(500, 'internal fault'))
  response.writeHead(reply.code, {
    'content-type': reply.type,
    'content-length': Buffer.byteLength(reply.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(reply.code === 405 ? { allow: 'GET, HEAD' } : {}),
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    ...reply.headers,
  })
  response.end(reply.body)
}

async function answer(request: IncomingMessage, routes: Routes): Promise<Reply> {
  const route = routes[(request.url ?? '').split('?')[0] ?? '']
  if (route === undefined) return words(404, 'not found')
  if (request.method !== 'GET' && request.method !== 'HEAD') return words(405, 'only GET and HEAD')
  return route()
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
