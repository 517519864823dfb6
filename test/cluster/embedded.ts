import { join } from 'node:path'
import { startNodeChild } from './node-child.ts'
import { stopChild } from './process.ts'
import type { StartContext, StartedServer } from './started-server.ts'

const program = join(import.meta.dirname, '../fakes/apiserver/main.ts')

/** Starts the embedded server as a process of its own. */
export async function startEmbedded(context: StartContext): Promise<StartedServer> {
  const { folder, pki, host, netns, serviceCidr, serviceAddress, advertised } = context
  const auditFile = join(folder, 'audit.log')
  const socketPath = netns === undefined ? undefined : join(folder, 'api.sock')
  const config = {
    host,
    port: context.port ?? 0,
    socketPath,
    auditFile,
    caFile: pki.ca.certFile,
    certFile: pki.server.certFile,
    keyFile: pki.server.keyFile,
    accountKeyFile: pki.accountKeyFile,
    serviceCidr,
    serviceAddress,
    advertised,
  }
  const file = program
  const [child, ready] = await startNodeChild({ name: 'apiserver', file, folder: join(folder, 'logs'), netns, config })
  const { port } = ready as { port: number }
  return { url: `https://${host}:${port}`, auditFile, socketPath, stop: () => stopChild(child, 2000) }
}
