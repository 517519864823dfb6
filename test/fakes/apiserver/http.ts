import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuditEntry } from './audit-log.ts'
import { authenticate, type User } from './auth.ts'
import { type Answer, dispatch, type Server } from './dispatch.ts'
import { badRequest, Fault, notAcceptable } from './fault.ts'
import { parseRequest, type RequestInfo } from './request.ts'

const bodyLimit = 3 * 1024 * 1024

/** An exchange and what its audit line needs. */
interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly info: RequestInfo
  readonly receivedMs: number
  readonly audit: (entry: AuditEntry) => void
}

/** Makes the function that answers every request of the server. */
export function makeHandler(server: Server, audit: (entry: AuditEntry) => void) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const info = readInfo(request)
    const exchange: Exchange = { request, response, info, receivedMs: Date.now(), audit }
    let user: User | undefined
    try {
      user = authenticate(request, server.tokens, exchange.receivedMs)
      const answer = dispatch(server, { info, user, ...(await readBody(request)) })
      send(exchange, user.username, answer)
    } catch (error) {
      if (request.destroyed && !request.complete) return
      send(exchange, user?.username ?? '', faultAnswer(error))
    }
  }
}

function readInfo(request: IncomingMessage): RequestInfo {
  const method = request.method ?? 'GET'
  try {
    return parseRequest(method, request.url ?? '/')
  } catch {
    return { method, path: '', query: new URLSearchParams(), verb: method.toLowerCase(), target: undefined }
  }
}

async function readBody(request: IncomingMessage): Promise<{ contentType: string; text: string }> {
  if (!acceptsJson(request.headers.accept)) throw notAcceptable()
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size > bodyLimit) {
      throw new Fault({
        code: 413,
        reason: 'RequestEntityTooLarge',
        message: 'Request entity too large: limit is 3145728',
      })
    }
    chunks.push(chunk as Buffer)
  }
  const [contentType = ''] = (request.headers['content-type'] ?? 'application/json').split(';')
  return { contentType: contentType.trim(), text: Buffer.concat(chunks).toString() }
}

function acceptsJson(accept: string | undefined): boolean {
  if (accept === undefined) return true
  const types = accept.split(',').map(type => type.split(';')[0]?.trim())
  return types.some(type => type === 'application/json' || type === '*/*' || type === 'application/*')
}

function faultAnswer(error: unknown): Answer {
  if (error instanceof Fault) return { kind: 'object', code: error.code, body: error.body }
  if (error instanceof URIError) return faultAnswer(badRequest('the path cannot be read'))
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`${message}\n`)
  return faultAnswer(new Fault({ code: 500, reason: 'InternalError', message: 'Internal error occurred' }))
}

function send(exchange: Exchange, username: string, answer: Answer): void {
  const { response } = exchange
  response.setHeader('audit-id', randomUUID())
  response.setHeader('cache-control', 'no-cache, private')
  if (answer.kind === 'watch') {
    sendWatch(exchange, username, answer.start)
    return
  }
  record(exchange, username, 'ResponseComplete', answer.code)
  const [type, text] =
    answer.kind === 'text'
      ? ['text/plain; charset=utf-8', answer.text]
      : ['application/json', `${JSON.stringify(answer.body)}\n`]
  response.writeHead(answer.code, { 'content-type': type, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

function sendWatch(exchange: Exchange, username: string, start: Extract<Answer, { kind: 'watch' }>['start']): void {
  const { response } = exchange
  record(exchange, username, 'ResponseStarted', 200)
  response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' })
  response.flushHeaders()
  const stop = start({
    write: line => response.write(`${JSON.stringify(line)}\n`),
    end: () => response.end(),
  })
  response.once('close', () => {
    stop()
    record(exchange, username, 'ResponseComplete', 200)
  })
}

function record(exchange: Exchange, user: string, stage: AuditEntry['stage'], code: number): void {
  const { request, info, receivedMs } = exchange
  const userAgent = request.headers['user-agent'] ?? ''
  exchange.audit({ stage, info, url: request.url ?? '', user, userAgent, code, receivedMs })
}
