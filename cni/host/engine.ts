/**
 * The little of Bun's own interface that kactus uses. Its node: modules are written on top of these and take up to ten
 * times as long to load; docs/decisions has the figures. Elsewhere than in Bun there is none of it.
 */
export interface BunEngine {
  listen(options: { unix: string; socket: BunSocketHandlers }): BunListener
  connect(options: { unix: string; socket: BunSocketHandlers }): Promise<BunSocket>
  spawn(argv: readonly string[], options: BunSpawnOptions): BunProcess
  readonly CryptoHasher: new (algorithm: 'md5') => BunHasher
}

export interface BunHasher {
  update(text: string): BunHasher
  digest(encoding: 'hex'): string
}

export interface BunSocket {
  write(data: string): number
  end(): void
}

export interface BunSocketHandlers {
  open?(socket: BunSocket): void
  data(socket: BunSocket, chunk: Uint8Array): void
  close?(socket: BunSocket): void
  error?(socket: BunSocket, error: Error): void
}

export interface BunListener {
  /** @param closeAll also the connections that are open */
  stop(closeAll: boolean): void
}

export interface BunSpawnOptions {
  readonly stdin: Uint8Array
  readonly stdout: 'pipe'
  readonly stderr: 'pipe'
  readonly env: Readonly<Record<string, string | undefined>>
  readonly detached: boolean
}

export interface BunProcess {
  readonly pid: number
  readonly stdout: ReadableStream<Uint8Array>
  readonly stderr: ReadableStream<Uint8Array>
  readonly exited: Promise<number>
  readonly exitCode: number | null
  readonly signalCode: string | null
}

/** How something is done by each of the engines that run us. */
export interface EngineChoice<T> {
  readonly bun: (bun: BunEngine) => T
  readonly node: () => T
}

/** The one place that looks which engine it is: what differs between them is two values, chosen when its file is loaded. */
export function byEngine<T>({ bun, node }: EngineChoice<T>): T {
  const engine = (globalThis as { Bun?: BunEngine }).Bun
  return engine === undefined ? node() : bun(engine)
}
