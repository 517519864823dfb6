import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'

/** The server did not answer, or not well. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError'
  readonly code = 'NoGrpcAnswer'
}

/** One question to a server on a UNIX socket. */
export interface GrpcCall {
  readonly socket: string
  /** `/v1.PodResourcesLister/List`. */
  readonly method: string
  /** The request as a protocol buffer message. */
  readonly message: Uint8Array
  readonly limitMs: number
  readonly mostBytes: number
  readonly signal?: AbortSignal
}

/**
 * Asks one question over gRPC and returns the answer's message. By hand: a library for it costs more memory than the
 * program that asks, and one frame each way is all there is to it.
 * @throws GrpcError
 */
export async function callGrpc(call: GrpcCall): Promise<Uint8Array> {
  return contentOf(await exchange(call))
}

/** A frame: one byte for compression, four for the length, the content. */
function contentOf(body: Buffer): Uint8Array {
  if (body.length < 5) throw new GrpcError('the answer is empty')
  if (body[0] !== 0) throw new GrpcError('the answer is compressed, unasked')
  const end = 5 + body.readUInt32BE(1)
  if (end > body.length) throw new GrpcError('the answer is cut off')
  return body.subarray(5, end)
}

function frameOf(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

function exchange({ socket, method, message, limitMs, mostBytes, signal }: GrpcCall): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2('http://localhost', { createConnection: () => connect(socket) })
    const close = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', cut)
      session.destroy()
    }
    const fail = (cause: Error) => {
      close()
      reject(new GrpcError(cause.message, { cause }))
    }
    const cut = () => fail(new Error('the question was called off'))
    const timer = setTimeout(() => fail(new Error(`no answer within ${limitMs / 1000} s`)), limitMs)
    signal?.addEventListener('abort', cut, { once: true })
    session.on('error', fail)
    const headers = { ':method': 'POST', ':path': method, 'content-type': 'application/grpc', te: 'trailers' }
    const stream = session.request(headers)
    const chunks: Buffer[] = []
    let [total, status, words]: [number, unknown, unknown] = [0, undefined, undefined]
    const note = (heads: NodeJS.Dict<string | string[]>) => {
      status = heads['grpc-status'] ?? status
      words = heads['grpc-message'] ?? words
    }
    stream.on('response', note)
    stream.on('trailers', note)
    stream.on('data', (chunk: Buffer) => {
      total += chunk.length
      if (total > mostBytes) fail(new Error('the answer is too large'))
      else chunks.push(chunk)
    })
    stream.on('error', fail)
    stream.on('end', () => {
      if (String(status ?? '0') !== '0') return fail(new Error(`gRPC status ${status} ${words ?? ''}`.trim()))
      close()
      return resolve(Buffer.concat(chunks))
    })
    stream.end(frameOf(message))
  })
}
