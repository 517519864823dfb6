import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** How a stand-in device behaves: what it says, a piece at a time; undefined = nothing, for ever. */
export type Speech = readonly string[] | undefined

/** A folder that looks like a host's root, with devices' sockets in it. */
export class SocketFolder {
  readonly root: string
  readonly #servers: Server[] = []
  readonly #sockets: Socket[] = []
  readonly #open = new Map<string, number>()

  constructor(t: Test) {
    // Not tap's own folder: the path of a socket is 107 bytes at most.
    this.root = mkdtempSync(join(tmpdir(), 'nopal-'))
    mkdirSync(join(this.root, 'run/wireguard'), { recursive: true })
    t.teardown(() => this.#close())
  }

  path(name: string): string {
    return join(this.root, 'run/wireguard', `${name}.sock`)
  }

  /**
   * Puts a device there that answers each request in the same way.
   * @returns the requests, as they come
   */
  async serve(name: string, speech: Speech): Promise<readonly string[]> {
    const asked: string[] = []
    const server = createServer(socket => {
      this.#sockets.push(socket)
      this.#open.set(name, this.connections(name) + 1)
      socket.on('close', () => this.#open.set(name, this.connections(name) - 1))
      socket.on('error', () => undefined)
      socket.once('data', request => {
        asked.push(request.toString())
        if (speech === undefined) return
        for (const piece of speech) socket.write(piece)
        socket.end()
      })
    })
    this.#servers.push(server)
    await new Promise<void>(resolve => server.listen(this.path(name), resolve))
    chmodSync(this.path(name), 0o700)
    return asked
  }

  /** How many connections a device has at the moment. */
  connections(name: string): number {
    return this.#open.get(name) ?? 0
  }

  /** Leaves the file of a socket that nobody serves. */
  async serveNobody(name: string): Promise<void> {
    await this.serve(`${name}-away`, undefined)
    renameSync(this.path(`${name}-away`), this.path(name))
    this.#servers.pop()?.close()
  }

  #close(): void {
    for (const socket of this.#sockets) socket.destroy()
    for (const server of this.#servers) server.close()
    rmSync(this.root, { recursive: true, force: true })
  }
}
