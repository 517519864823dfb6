import { chmod, mkdir, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import {
  answerFrom,
  type LookupCache,
  type PodFacts,
  parseQuestion,
  printAnswer,
} from '../../cni/networks/lookup-protocol.ts'
import type { NetworkKind } from '../../cni/networks/request.ts'
import type { Json } from '../../cni/spec/json.ts'

/** The agent's side of the lookup socket, with pods and networks that a test puts in. */
export class FakeAgent implements LookupCache {
  readonly path: string
  /** Answers with these bytes in place of what it knows; `silence` never answers. */
  says: string | 'silence' | undefined
  /** Questions so far. */
  questions = 0
  readonly #pods = new Map<string, PodFacts>()
  readonly #networks = new Map<string, Json>()
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  private constructor(path: string) {
    this.path = path
    this.#server = createServer(socket => this.#serve(socket))
  }

  static async start(path: string): Promise<FakeAgent> {
    const agent = new FakeAgent(path)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await rm(path, { force: true })
    await new Promise<void>(resolve => agent.#server.listen(path, resolve))
    await chmod(path, 0o600)
    return agent
  }

  putPod(namespace: string, name: string, facts: PodFacts): void {
    this.#pods.set(`${namespace}/${name}`, facts)
  }

  putNetwork(kind: NetworkKind, namespace: string, name: string, object: Json): void {
    this.#networks.set(`${kind}/${namespace}/${name}`, object)
  }

  pod(namespace: string, name: string): PodFacts | undefined {
    return this.#pods.get(`${namespace}/${name}`)
  }

  network(kind: NetworkKind, namespace: string, name: string): Json | undefined {
    return this.#networks.get(`${kind}/${namespace}/${name}`)
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>(resolve => this.#server.close(() => resolve()))
  }

  #serve(socket: Socket): void {
    let text = ''
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => undefined)
    socket.on('data', chunk => {
      text += chunk.toString()
      if (!text.includes('\n') || this.says === 'silence') return
      this.questions++
      const question = parseQuestion(text)
      socket.end(this.says ?? printAnswer(question && answerFrom(this, question)))
    })
  }
}
