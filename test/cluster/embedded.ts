import { join } from 'node:path'
import { inNetwork } from '../machine/command.ts'
import { startTold } from '../machine/program.ts'
import type { StartContext, StartedServer } from './started-server.ts'

const program = join(import.meta.dirname, '../fakes/apiserver/main.ts')

/** Starts the embedded server as a process of its own. */
export async function startEmbedded(context: StartContext): Promise<StartedServer> {
  const { folder, pki, host, netns, serviceCidr, serviceAddress, advertised } = context
  const auditFile = join(folder, 'audit.log')
  const socketPath = netns === undefined ? undefined : join(folder, 'api.sock')
  const told = {
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
  const argv = inNetwork(netns, [process.execPath, program])
  const [child, ready] = await startTold({ name: 'apiserver', argv, logFile: join(folder, 'logs/apiserver.log'), told })
  const { port } = ready as { port: number }
  return { url: `https://${host}:${port}`, auditFile, socketPath, stop: () => child.stop('SIGTERM', 2000) }
}
