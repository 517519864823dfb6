import type { Fault } from './faults.ts'
import { FaultProxy, type ProxyConfig } from './proxy.ts'

// The proxy as a process of its own, so that it can stand in any network namespace. The first message is its
// configuration; every later one is a command with a number, which is answered by that number.

interface Command {
  readonly id: number
  /** Replaces the faults; absent = only tell. */
  readonly faults?: readonly Fault[]
}

async function start(config: ProxyConfig): Promise<void> {
  const proxy = new FaultProxy(config)
  await proxy.listen()
  process.on('message', (command: Command) => {
    obey(proxy, command).catch(fail)
  })
  process.send?.({ port: proxy.port })
}

async function obey(proxy: FaultProxy, command: Command): Promise<void> {
  const { hits } = proxy.faults
  if (command.faults !== undefined) await proxy.set(command.faults)
  process.send?.({ id: command.id, hits })
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
}

process.once('message', (config: ProxyConfig) => {
  start(config).catch(fail)
})
process.once('disconnect', () => process.exit(0))
