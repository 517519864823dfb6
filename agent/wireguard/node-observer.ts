import type { Clock } from '../runtime/clock.ts'
import { createObserver, type Observer } from './observe.ts'
import { createDeviceReader } from './read.ts'
import { createRouteBook, emptyRouteBook } from './route-book.ts'
import { openRouteTable } from './routes.ts'
import { kernelDevices, readInterfaces, userspaceDevices } from './sources.ts'
import { runWg } from './wg-program.ts'

/** An observer of this node, with what it holds open. */
export interface NodeObserver extends Observer {
  close(): void
}

export interface NodeObserverOptions {
  /** Folder below which the host's files are; empty = the host itself. */
  readonly hostRoot: string
  /** Names of the interfaces to look at; none = all. */
  readonly interfaces: readonly string[]
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  /** Whether a peer that never shook hands gets time to do so once it is seen. */
  readonly waits: boolean
  /** Told why routes cannot be asked for: then no endpoint is known to be nested. */
  readonly onNoRoutes: (error: unknown) => void
}

/** Gets ready to look at this node's devices. */
export async function openNodeObserver(options: NodeObserverOptions): Promise<NodeObserver> {
  const { hostRoot, interfaces, clock, waits, onNoRoutes } = options
  const sources = [userspaceDevices(hostRoot), kernelDevices(runWg)]
  const reader = createDeviceReader({ sources, readInterfaces, interfaces, clock })
  const table = await openRouteTable().catch(onNoRoutes)
  const routes = table ? createRouteBook(table) : emptyRouteBook
  return { ...createObserver({ reader, routes, clock, waits }), close: () => table?.close() }
}
