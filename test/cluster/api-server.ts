import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../machine/wait.ts'
import {
  type ApiAnswer,
  type ApiRequest,
  type ApiTarget,
  type OpenWatch,
  openWatch,
  sendRequest,
} from './api-client.ts'
import { type AuditLine, readAudit } from './audit.ts'
import { startEmbedded } from './embedded.ts'
import { writeKubeconfig } from './kubeconfig.ts'
import { makePki, type Pki, readBase64, readTarget } from './pki.ts'
import { startReal } from './real.ts'
import { makeRunFolder, type RunFolder } from './run-folder.ts'
import { installCrds, makeAccountToken, waitForSeed } from './seed.ts'
import type { StartContext, StartedServer } from './started-server.ts'

export type { ApiAnswer, ApiRequest, ApiTarget, OpenWatch, WatchLine } from './api-client.ts'
export type { AuditLine } from './audit.ts'

/** A running API server, real or embedded: both look the same from outside. */
export interface ApiServer {
  readonly kind: 'real' | 'embedded'
  /** `https://HOST:PORT` */
  readonly url: string
  readonly caFile: string
  /** Data, keys and logs; removed by `stop`, and also when this process dies. */
  readonly folder: string
  readonly pki: Pki
  /** A kubeconfig file of a member of system:masters. */
  readonly adminKubeconfig: string
  /** The administrator's way in for this process, also where the server listens in another network namespace. */
  readonly admin: ApiTarget
  /**
   * Writes a kubeconfig with a token of that account; makes the namespace and the account where they are absent. With a
   * node the token says, as a pod's does, that it was made for that node.
   */
  kubeconfigFor(namespace: string, serviceAccount: string, node?: string): Promise<string>
  /** The way in of a service account for this process. */
  targetFor(namespace: string, serviceAccount: string, node?: string): Promise<ApiTarget>
  /** One request as the administrator. */
  send(request: ApiRequest): Promise<ApiAnswer>
  /** A watch as the administrator. */
  watch(path: string): Promise<OpenWatch>
  /** Everything asked of the server so far. */
  requests(): Promise<readonly AuditLine[]>
  stop(): Promise<void>
}

/** How a server is started. */
export interface ApiServerOptions {
  readonly kind: 'real' | 'embedded'
  /** Name of the run; part of the folder's name. */
  readonly run: string
  /** Path of the network namespace it is started in; its loopback interface must be up. */
  readonly netns?: string
  /** Address to listen on and to advertise; 127.0.0.1 unless told. */
  readonly host?: string
  /** A free one unless told. */
  readonly port?: number
  readonly serviceCidr?: string
  /** More flags for the real kube-apiserver; the embedded server ignores them. */
  readonly flags?: readonly string[]
}

/** Starts etcd and kube-apiserver, or the embedded server, and waits until it is ready and seeded. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const folder = await makeRunFolder(options.run, options.kind)
  try {
    const context = await contextOf(options, folder.path)
    const started = options.kind === 'real' ? await startReal(context) : await startEmbedded(context)
    try {
      return await describe({ kind: options.kind, context, started, folder })
    } catch (error) {
      await started.stop()
      throw error
    }
  } catch (error) {
    await folder.remove()
    throw error
  }
}

async function contextOf(options: ApiServerOptions, folder: string): Promise<StartContext> {
  const host = options.host ?? '127.0.0.1'
  const serviceCidr = options.serviceCidr ?? '10.96.0.0/16'
  const serviceAddress = firstAddress(serviceCidr)
  await mkdir(join(folder, 'logs'))
  const names = new Set([...serviceNames, 'localhost', '127.0.0.1', serviceAddress, host])
  return {
    folder,
    pki: await makePki(join(folder, 'pki'), [...names]),
    host,
    port: options.port,
    netns: options.netns,
    serviceCidr,
    serviceAddress,
    // Kubernetes refuses a loopback address in an EndpointSlice, so such a server advertises one that leads nowhere.
    advertised: host.startsWith('127.') ? '192.0.2.1' : host,
    flags: options.flags ?? [],
  }
}

const serviceNames = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
]

/** 10.96.0.0/16 -> 10.96.0.1: the address that Kubernetes gives to Service default/kubernetes. */
function firstAddress(cidr: string): string {
  const [network = ''] = cidr.split('/')
  const parts = network.split('.')
  return [...parts.slice(0, 3), Number(parts[3]) + 1].join('.')
}

interface Parts {
  readonly kind: 'real' | 'embedded'
  readonly context: StartContext
  readonly started: StartedServer
  readonly folder: RunFolder
}

async function describe({ kind, context, started, folder }: Parts): Promise<ApiServer> {
  const { pki } = context
  const admin = await readTarget(pki, started.url, started.socketPath)
  const anonymous: ApiTarget = { url: started.url, socketPath: started.socketPath, ca: admin.ca }
  await waitForSeed(admin)
  await installCrds(admin)
  const adminKubeconfig = join(folder.path, 'admin.kubeconfig')
  const cluster = { url: started.url, ca: await readBase64(pki.ca.certFile) }
  const user = { cert: await readBase64(pki.admin.certFile), key: await readBase64(pki.admin.keyFile) }
  await writeKubeconfig(adminKubeconfig, { ...cluster, user })
  return {
    kind,
    url: started.url,
    caFile: pki.ca.certFile,
    folder: folder.path,
    pki,
    adminKubeconfig,
    admin,
    async kubeconfigFor(namespace, name, node) {
      const file = join(folder.path, `${[namespace, name, node ?? []].flat().join('-')}.kubeconfig`)
      const token = await makeAccountToken(admin, { namespace, name, node })
      await writeKubeconfig(file, { ...cluster, user: { token } })
      return file
    },
    async targetFor(namespace, name, node) {
      return { ...anonymous, token: await makeAccountToken(admin, { namespace, name, node }) }
    },
    send: request => sendRequest(admin, request),
    watch: path => openWatch(admin, path),
    requests: () => settledAudit(admin, started.auditFile),
    async stop() {
      await started.stop()
      await folder.remove()
    },
  }
}

/**
 * The log after all that was answered before this call is in it. A line is written after its answer, so a request
 * of our own goes last and is waited for.
 */
async function settledAudit(admin: ApiTarget, file: string): Promise<AuditLine[]> {
  const marker = `nopal-audit-${randomBytes(8).toString('hex')}`
  await sendRequest(admin, { method: 'GET', path: `/version?${marker}` })
  const settled = async () => {
    const lines = await readAudit(file)
    return lines.some(line => line.query === marker) && lines
  }
  const lines = await until(`the audit log ${file} to grow`, settled, { everyMs: 10 })
  return lines.filter(line => !line.query.startsWith('nopal-audit-'))
}
