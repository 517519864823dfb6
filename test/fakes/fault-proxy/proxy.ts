import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request as httpsRequest, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorAnswer, expiredLine } from './answers.ts'
import { type Asked, type Fault, FaultList, isWatch, meets } from './faults.ts'

/** Where the proxy stands and what stands behind it. */
export interface ProxyConfig {
  readonly host: string
  /** 0 = a free one. */
  readonly port: number
  readonly upstream: string
  /** A UNIX socket that leads to the server. */
  readonly socketPath?: string | undefined
  readonly ca: string
  readonly cert: string
  readonly key: string
  /** A certificate that no client trusts. */
  readonly stranger: { readonly cert: string; readonly key: string }
}

/** A watch that is open through the proxy. */
interface OpenStream {
  readonly asked: Asked
  silent: boolean
}

/** Stands before an API server with a certificate of the same CA, and lets go wrong what it is told to. */
export class FaultProxy {
  readonly faults = new FaultList()
  readonly #config: ProxyConfig
  readonly #streams = new Set<OpenStream>()
  #server: Server | undefined
  #port: number
  #strange = false
  #replaced = Promise.withResolvers<void>()

  constructor(config: ProxyConfig) {
    this.#config = config
    this.#port = config.port
  }

  get port(): number {
    return this.#port
  }

  async listen(): Promise<void> {
    const { cert, key, host } = this.#config
    const server = createServer({ cert, key }, (request, response) => void this.#answer(request, response))
    server.listen(this.#port, host)
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  /** Replaces all faults. */
  async set(faults: readonly Fault[]): Promise<void> {
    this.faults.set(faults)
    this.#replaced.resolve()
    this.#replaced = Promise.withResolvers()
    for (const stream of this.#streams) {
      stream.silent ||= faults.some(fault => fault.does === 'silence' && meets(fault, stream.asked))
    }
    if (this.faults.refusing) await this.#close()
    else if (this.#server === undefined) await this.listen()
    this.#showCertificate(this.faults.strange)
  }

  #showCertificate(strange: boolean): void {
    const { cert, key, stranger } = this.#config
    if (strange === this.#strange) return
    this.#strange = strange
    this.#server?.setSecureContext(strange ? stranger : { cert, key })
    // Who is connected has seen the other one.
    this.#server?.closeAllConnections()
  }

  async #close(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    this.#strange = false
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = { method: request.method ?? 'GET', url: request.url ?? '/' }
    const fault = this.faults.take(asked)
    if (fault?.does === 'slow') await sleep(fault.ms)
    if (fault?.does === 'hold') await this.#replaced.promise
    if (fault?.does === 'hang') return
    if (fault?.does === 'reset') {
      request.socket.destroy()
      return
    }
    if (fault?.does === 'answer') answerError(fault, asked, request, response)
    else this.#forward(request, response, { asked, fault })
  }

  #forward(
    request: IncomingMessage,
    response: ServerResponse,
    { asked, fault }: { asked: Asked; fault: Fault | undefined },
  ) {
    const { upstream, socketPath, ca } = this.#config
    const behind = httpsRequest(new URL(asked.url, upstream), {
      method: asked.method,
      headers: { ...request.headers, host: new URL(upstream).host },
      agent: false,
      ca,
      ...(socketPath === undefined ? {} : { socketPath, servername: 'kubernetes' }),
    })
    behind.once('response', answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      if (fault?.does === 'halfBody') void sendHalf(answer, response)
      else this.#pipe(answer, response, { asked, silent: fault?.does === 'silence' })
    })
    // A server that is gone looks to the client like one that breaks the connection.
    behind.once('error', () => request.socket.destroy())
    response.once('close', () => behind.destroy())
    request.pipe(behind)
  }

  #pipe(answer: IncomingMessage, response: ServerResponse, stream: OpenStream): void {
    if (isWatch(stream.asked)) this.#streams.add(stream)
    response.flushHeaders()
    answer.on('data', chunk => {
      if (!stream.silent) response.write(chunk)
    })
    answer.once('end', () => {
      // Silence is that of a dead network: not even the end gets through.
      if (!stream.silent) response.end()
    })
    answer.once('error', () => {
      if (!stream.silent) response.destroy()
    })
    response.once('close', () => this.#streams.delete(stream))
  }
}

function answerError(
  fault: Extract<Fault, { does: 'answer' }>,
  asked: Asked,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  request.resume()
  if (fault.code === 410 && isWatch(asked)) {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(expiredLine())
    return
  }
  const { code, headers, text } = errorAnswer(fault.code, fault.retryAfterSeconds)
  response.writeHead(code, { ...headers, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

async function sendHalf(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  // The cut must come after the half has left.
  response.write(body.subarray(0, Math.ceil(body.length / 2)), () => response.socket?.destroy())
}
