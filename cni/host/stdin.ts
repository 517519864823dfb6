import { read } from 'node:fs'
import { pause } from './pause.ts'

export interface ReadLimits {
  readonly maxBytes: number
  readonly timeoutMs: number
}

export class InputError extends Error {
  override readonly name = 'InputError'
  readonly code: 'TooLarge' | 'TimedOut' | 'Unreadable'

  constructor(code: 'TooLarge' | 'TimedOut' | 'Unreadable', message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

const CHUNK_BYTES = 64 * 1024
const AGAIN_MS = 5

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
  try {
    return await Promise.race([readChunks(descriptor, limits.maxBytes), late])
  } finally {
    clearTimeout(timer)
  }
}

async function readChunks(descriptor: number, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let total = 0
  for (let chunk = await readChunk(descriptor); chunk.length > 0; chunk = await readChunk(descriptor)) {
    total += chunk.length
    if (total > maxBytes) throw new InputError('TooLarge', `the input is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function readChunk(descriptor: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  while (true) {
    const code = await fill(descriptor, buffer)
    if (typeof code === 'number') return buffer.subarray(0, code)
    // A pipe from a parent that set it to non-blocking.
    if (code !== 'EAGAIN') throw new InputError('Unreadable', `the input cannot be read: ${code}`)
    await pause(AGAIN_MS)
  }
}

/** How many bytes came, 0 at the end; or the code of the fault. */
function fill(descriptor: number, buffer: Buffer): Promise<number | string> {
  return new Promise(resolve => {
    read(descriptor, buffer, 0, buffer.length, null, (error, bytes) => {
      if (!error) resolve(bytes)
      else resolve(error.code === 'EOF' ? 0 : (error.code ?? error.message))
    })
  })
}
