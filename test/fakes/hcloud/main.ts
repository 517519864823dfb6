import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { errorAnswer, type FakeAnswer, json } from './answers.ts'
import { listPage } from './pages.ts'
import type { FakeServer } from './servers.ts'

/** Hetzner Cloud's `GET /servers` as its public documentation has it, with faults. */
export interface FakeHcloud {
  /** Endpoint, with the version in it. */
  readonly url: string
  /** May be changed while it runs. */
  servers: FakeServer[]
  /** The one that is let in. */
  token: string
  /** What the rate limit says. */
  readonly rate: { limit: number; remaining: number; resetSeconds: number }
  /** Answers in place of its own; undefined = its own. */
  instead: (query: URLSearchParams) => Instead | Promise<Instead>
  /** Targets of all requests so far. */
  readonly seen: string[]
  stop(): Promise<void>
}

type Instead = FakeAnswer | 'hang' | undefined

export async function startFakeHcloud(): Promise<FakeHcloud> {
  const server = createServer((request, response) => void serve(request, response, fake))
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const fake: FakeHcloud = {
    url: `http://127.0.0.1:${port}/v1`,
    servers: [],
    token: 'the-token-of-the-project',
    rate: { limit: 3600, remaining: 3600, resetSeconds: Math.round(Date.now() / 1000) },
    instead: () => undefined,
    seen: [],
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return fake
}

async function serve(request: IncomingMessage, response: ServerResponse, fake: FakeHcloud): Promise<void> {
  const target = request.url ?? ''
  fake.seen.push(target)
  const { pathname, searchParams } = new URL(target, 'http://fake')
  const answer = (await fake.instead(searchParams)) ?? ownAnswer(fake, request, { path: pathname, query: searchParams })
  if (answer === 'hang') return
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'x-correlation-id': `fake-${fake.seen.length}`,
    'ratelimit-limit': String(fake.rate.limit),
    'ratelimit-remaining': String(fake.rate.remaining),
    'ratelimit-reset': String(fake.rate.resetSeconds),
    ...answer.headers,
  })
  response.end(answer.body)
}

function ownAnswer(
  fake: FakeHcloud,
  { method, headers }: IncomingMessage,
  { path, query }: { readonly path: string; readonly query: URLSearchParams },
): FakeAnswer {
  if (headers.authorization !== `Bearer ${fake.token}`)
    return errorAnswer(401, 'unauthorized', 'unable to authenticate')
  if (fake.rate.remaining <= 0) return errorAnswer(429, 'rate_limit_exceeded', 'limit of requests per hour reached')
  fake.rate.remaining -= 1
  if (path !== '/v1/servers') return errorAnswer(404, 'not_found', 'page not found')
  if (method !== 'GET') return errorAnswer(403, 'token_readonly', 'only GET requests with a read-only token')
  return json(200, listPage(fake.servers, query))
}
