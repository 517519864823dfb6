import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { DeviceFault } from './device.ts'
import { readErrno } from './uapi.ts'

/** What one exchange may take. */
export interface ExchangeLimits {
  readonly timeoutMs: number
  readonly maxBytes: number
}

/** Not in node:fs: opens the name alone, which is all that a socket lets open. */
const pathOnly = 0o10000000

/**
 * Asks a device on its socket. Whoever gets the reply wipes it: there are keys in it.
 * @throws DeviceFault
 */
export async function askSocket(path: Buffer, request: string, limits: ExchangeLimits): Promise<Buffer> {
  const handle = await openPath(path)
  try {
    // By number: a path of any bytes, of any length, is then one that connect(2) takes.
    return await exchange(`/proc/self/fd/${handle.fd}`, request, limits)
  } finally {
    await handle.close()
  }
}

async function openPath(path: Buffer): Promise<FileHandle> {
  try {
    return await open(path, pathOnly | constants.O_RDONLY)
  } catch (error) {
    throw new DeviceFault('Unreachable', 'its socket cannot be opened', error)
  }
}

function exchange(path: string, request: string, limits: ExchangeLimits): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const socket = createConnection({ path })
  const reply = new Reply(limits.maxBytes)
  const end = (fault?: DeviceFault) => {
    clearTimeout(timer)
    socket.destroy()
    if (fault === undefined) resolve(reply.take())
    else {
      reply.wipe()
      reject(fault)
    }
  }
  const late = () => end(new DeviceFault('TimedOut', `no whole reply within ${limits.timeoutMs} ms`))
  const timer = setTimeout(late, limits.timeoutMs)
  socket.on('connect', () => socket.write(request))
  socket.on('data', chunk => {
    if (!reply.add(chunk)) end(new DeviceFault('TooLarge', `the reply is larger than ${limits.maxBytes} bytes`))
    else if (readErrno(reply.tail) !== undefined) end()
  })
  socket.on('close', () => end(new DeviceFault('BadReply', 'the reply broke off')))
  socket.on('error', error => end(new DeviceFault('Refused', 'its socket takes no connection', error)))
  return promise
}

const tailBytes = 32

/** Bytes as they come; wiped once they are put together. */
class Reply {
  readonly #maxBytes: number
  #chunks: Buffer[] = []
  #size = 0
  #tail = Buffer.alloc(0)

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  add(chunk: Buffer): boolean {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-tailBytes)]).subarray(-tailBytes)
    return this.#size <= this.#maxBytes
  }

  /** Enough of the end to see whether it is one. */
  get tail(): Buffer {
    return this.#tail
  }

  take(): Buffer {
    const whole = Buffer.concat(this.#chunks)
    this.wipe()
    return whole
  }

  wipe(): void {
    for (const chunk of this.#chunks) chunk.fill(0)
    this.#chunks = []
  }
}
