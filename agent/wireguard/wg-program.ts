import { spawn } from 'node:child_process'
import { DeviceFault } from './device.ts'
import type { ExchangeLimits } from './uapi-socket.ts'

/** Runs `wg` to its end and returns what it prints. Whoever gets it wipes it: there are keys in it. */
export type RunWg = (args: readonly string[], limits: ExchangeLimits) => Promise<Buffer>

/**
 * Runs the `wg` of the image or the host. What it says on stderr is left out: that may quote what it read.
 * @throws DeviceFault
 */
export const runWg: RunWg = (args, limits) => {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const child = spawn('wg', [...args], { stdio: ['ignore', 'pipe', 'ignore'] })
  const chunks: Buffer[] = []
  let size = 0
  let fault: DeviceFault | undefined
  const stop = (why: DeviceFault) => {
    fault ??= why
    child.kill('SIGKILL')
    // A child that cannot be killed, deep in the kernel, is not waited for.
    child.stdout.destroy()
    child.unref()
    reject(why)
  }
  const timer = setTimeout(
    () => stop(new DeviceFault('TimedOut', `wg does not end within ${limits.timeoutMs} ms`)),
    limits.timeoutMs,
  )
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    size += chunk.length
    if (size > limits.maxBytes) stop(new DeviceFault('TooLarge', `wg prints more than ${limits.maxBytes} bytes`))
  })
  child.on('error', error => {
    clearTimeout(timer)
    reject(new DeviceFault('Unreachable', 'wg cannot be run: is wireguard-tools installed?', error))
  })
  child.on('close', code => {
    clearTimeout(timer)
    const output = Buffer.concat(chunks)
    for (const chunk of chunks) chunk.fill(0)
    if (code === 0 && fault === undefined) resolve(output)
    else reject(fault ?? new DeviceFault('Refused', `wg ends with ${code}: may this process read WireGuard?`))
  })
  return promise
}
