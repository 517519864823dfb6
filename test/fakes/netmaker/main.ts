import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type FakeCall, text } from './answers.ts'
import { type FakeAnswer, type FakeFaults, noFaults } from './faults.ts'
import { type Route, routes } from './routes.ts'
import { FakeState } from './state.ts'
import { authenticate } from './users.ts'

/** One request that the server saw. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly body: string
}

/** Netmaker 1.5.1 without a broker, as far as the recorded exchanges show it. */
export interface FakeNetmaker {
  readonly url: string
  readonly state: FakeState
  readonly faults: FakeFaults
  readonly seen: SeenRequest[]
  stop(): Promise<void>
}

export async function startFakeNetmaker(): Promise<FakeNetmaker> {
  const faults = noFaults()
  const state = new FakeState(faults)
  const seen: SeenRequest[] = []
  const server = createServer((request, response) => void serve(request, response, { state, seen }))
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    state,
    faults,
    seen,
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

interface Fake {
  readonly state: FakeState
  readonly seen: SeenRequest[]
}

async function serve(request: IncomingMessage, response: ServerResponse, { state, seen }: Fake): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks).toString()
  const { method = '', url = '' } = request
  seen.push({ method, path: url, body })
  const { faults } = state
  if (faults.latencyMs > 0) await sleep(faults.latencyMs)
  const answer = faults.instead({ method, path: url }) ?? answerOf(request, body, state)
  const isWrite = method !== 'GET' && answer.status === 200 && url.startsWith('/api/v1/egress')
  if (isWrite && (await faults.afterWrite(method)) === 'hang') return
  send(response, answer)
}

function answerOf(request: IncomingMessage, body: string, state: FakeState): FakeAnswer {
  const { method = '', url = '' } = request
  if (url.startsWith('//')) return { status: 301, type: null, body: '', headers: { location: url.slice(1) } }
  const { pathname, searchParams: query } = new URL(url, 'http://fake')
  const known = routes.filter(({ path }) => path.test(pathname) && isOfVersion(pathname, state))
  const found = known.find(route => route.method === method)
  if (known.length === 0) return text(404, '404 page not found\n')
  if (found === undefined) return { status: 405, type: null, body: '' }
  const user = whoAsks(found, request, state)
  if (typeof user !== 'string') return user
  const parts = found.path.exec(pathname)?.slice(1) ?? []
  const call: FakeCall = { method, query, parts, text: body, state, user }
  return found.handle(call)
}

/** Rules of their own came with version 0.99. */
function isOfVersion(path: string, state: FakeState): boolean {
  return !path.startsWith('/api/v1/egress') || state.faults.version !== '0.90'
}

function whoAsks({ login }: Route, request: IncomingMessage, state: FakeState): string | FakeAnswer {
  return login === 'none' ? '' : authenticate(state, request.headers.authorization ?? '', login)
}

function send(response: ServerResponse, { status, type, body, headers }: FakeAnswer): void {
  response.writeHead(status, { ...headers, ...(type === null ? {} : { 'content-type': type }) })
  response.end(body)
}
