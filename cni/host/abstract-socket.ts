/** A bound abstract socket. */
export interface BoundSocket {
  /** Gives the name up and lets everybody know who is connected to it. */
  close(): void
}

/** How a look at the one who is bound to a name ended. */
export type Watch = 'nobody' | 'ended' | 'held'

/** Abstract UNIX sockets, as far as a lock needs them. */
export interface AbstractSockets {
  /** Binds a name; undefined = somebody has it. Connections are kept open until the end. */
  bind(name: string): Promise<BoundSocket | undefined>
  /**
   * Connects to whoever is bound to a name and waits for their end.
   * @param limitMs when to give up; 0 = only ask whether there is somebody
   */
  watch(name: string, limitMs: number): Promise<Watch>
}

/** Limit of connecting: the other side's queue may be full. */
export const CONNECT_MS = 1000
