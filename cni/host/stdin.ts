import { closeSync, constants, openSync, read, readSync } from 'node:fs'
import { CodedError } from './coded-error.ts'
import { pause } from './pause.ts'
import { errorCode } from './system-error.ts'

export interface ReadLimits {
  readonly maxBytes: number
  readonly timeoutMs: number
}

export class InputError extends CodedError<'TooLarge' | 'TimedOut' | 'Unreadable'> {
  override readonly name = 'InputError'
}

const CHUNK_BYTES = 64 * 1024
const AGAIN_MS = 1

/**
 * Reads a descriptor to its end, within limits.
 * @throws InputError
 */
export async function readAll(descriptor: number, limits: ReadLimits): Promise<string> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const message = `the input did not end within ${limits.timeoutMs / 1000} s`
    timer = setTimeout(() => reject(new InputError('TimedOut', message)), limits.timeoutMs)
  })
  const pipe = openAgain(descriptor)
  try {
    const fill = pipe === undefined ? fillByThread(descriptor) : fillAtOnce(pipe)
    return await Promise.race([readChunks(fill, limits.maxBytes), late])
  } finally {
    clearTimeout(timer)
    if (pipe !== undefined) closeSync(pipe)
  }
}

/** Fills a buffer: how many bytes came, 0 at the end; or the code of the fault. */
type Fill = (buffer: Buffer) => Promise<number | string> | number | string

/**
 * The same pipe or file once more, so that reading it never blocks and the descriptor's other users notice nothing. That
 * spares the engine its pool of threads. Sockets cannot be opened so.
 */
function openAgain(descriptor: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

async function readChunks(fill: Fill, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let total = 0
  for (let chunk = await readChunk(fill); chunk.length > 0; chunk = await readChunk(fill)) {
    total += chunk.length
    if (total > maxBytes) throw new InputError('TooLarge', `the input is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function readChunk(fill: Fill): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  while (true) {
    const code = await fill(buffer)
    if (typeof code === 'number') return buffer.subarray(0, code)
    if (code !== 'EAGAIN') throw new InputError('Unreadable', `the input cannot be read: ${code}`)
    await pause(AGAIN_MS)
  }
}

function fillAtOnce(descriptor: number): Fill {
  return buffer => {
    try {
      return readSync(descriptor, buffer)
    } catch (error) {
      return endOrFault(error)
    }
  }
}

function fillByThread(descriptor: number): Fill {
  return buffer =>
    new Promise(resolve => {
      read(descriptor, buffer, 0, buffer.length, null, (error, bytes) => resolve(error ? endOrFault(error) : bytes))
    })
}

function endOrFault(error: unknown): number | string {
  const code = errorCode(error) ?? String(error)
  return code === 'EOF' ? 0 : code
}
