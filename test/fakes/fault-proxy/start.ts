import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ApiServer, ApiTarget } from '../../cluster/api-server.ts'
import { writeKubeconfig } from '../../cluster/kubeconfig.ts'
import { ownLoopback } from '../../cluster/own-loopback.ts'
import { issueCertificate, issueStranger, type KeyPair } from '../../cluster/pki.ts'
import { inNetwork } from '../../machine/command.ts'
import { startTold } from '../../machine/program.ts'
import type { Fault } from './faults.ts'

export type { Fault, FaultKind, FaultScope } from './faults.ts'

/** A proxy before an API server, as the test sees it. */
export interface RunningProxy {
  readonly url: string
  /** Replaces all faults; returns when they are in force. */
  set(...faults: Fault[]): Promise<void>
  /** Lets everything through again, also for watches that open from now on. */
  clear(): Promise<void>
  /** How many requests each of the faults has met, in the order they were set. */
  hits(): Promise<readonly number[]>
  /** A kubeconfig of that account, on that node, that leads through the proxy. */
  kubeconfigFor(namespace: string, serviceAccount: string, node?: string): Promise<string>
  /** The way through the proxy for this process; only where the proxy is in the same network namespace. */
  targetFor(namespace: string, serviceAccount: string): Promise<ApiTarget>
  stop(): Promise<unknown>
}

export interface ProxyOptions {
  /** One of its own unless told: the port stays its own while it refuses. */
  readonly host?: string
  readonly port?: number
  /** Path of the network namespace that it listens in; ours unless told. */
  readonly netns?: string
}

/** Starts a proxy before a server; it must be stopped before the server is. Client certificates do not pass it, tokens do. */
export async function startFaultProxy(server: ApiServer, options: ProxyOptions = {}): Promise<RunningProxy> {
  const { host = ownLoopback(), port = 0, netns } = options
  const name = `fault-proxy-${process.hrtime.bigint()}`
  const pair = await issueCertificate(server.pki.folder, name, {
    commonName: 'fault-proxy',
    names: ['localhost', 'kubernetes', host],
  })
  const { cert, key } = await readPair(pair)
  const stranger = await readPair(await issueStranger(server.pki.folder, `${name}-stranger`))
  const { socketPath, ca } = server.admin
  const told = { host, port, upstream: server.url, socketPath, ca, cert, key, stranger }
  const argv = inNetwork(netns, [process.execPath, join(import.meta.dirname, 'main.ts')])
  const [child, ready] = await startTold({ name, argv, logFile: join(server.folder, 'logs', `${name}.log`), told })
  const url = `https://${host}:${(ready as { port: number }).port}`
  let lastId = 0

  /** Sends a command and waits for the answer with its number. */
  async function command(faults?: readonly Fault[]): Promise<readonly number[]> {
    lastId += 1
    const id = lastId
    // Where it has ended, the wait below says so.
    child.process.send({ id, ...(faults === undefined ? {} : { faults }) }, () => undefined)
    for (;;) {
      const { id: answered, hits } = (await child.message()) as { id: number; hits: readonly number[] }
      if (answered === id) return hits
    }
  }

  return {
    url,
    set: async (...faults) => void (await command(faults)),
    clear: async () => void (await command([])),
    hits: () => command(),
    async kubeconfigFor(namespace, serviceAccount, node) {
      const { token = '' } = await server.targetFor(namespace, serviceAccount, node)
      const target = join(server.folder, `${name}-${namespace}-${serviceAccount}.kubeconfig`)
      await writeKubeconfig(target, { url, ca: Buffer.from(ca).toString('base64'), user: { token } })
      return target
    },
    async targetFor(namespace, serviceAccount) {
      const { token = '' } = await server.targetFor(namespace, serviceAccount)
      return { url, ca, token }
    },
    stop: () => child.stop('SIGTERM', 2000),
  }
}

async function readPair({ certFile, keyFile }: KeyPair): Promise<{ readonly cert: string; readonly key: string }> {
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')])
  return { cert, key }
}
