import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { openAuditLog } from './audit-log.ts'
import { Tokens } from './auth.ts'
import { makeHandler } from './http.ts'
import { seed } from './seed.ts'
import { Store } from './store.ts'

// A small Kubernetes API server: the paths, verbs and patch kinds that nopal uses, answered as the real one answers
// them. The contract suite holds it to that. It gets its settings as the first message of its channel, answers with
// the port it listens on, and ends with the channel.

interface Config {
  readonly host: string
  /** 0 = a free one. */
  readonly port: number
  /** A second way in, for those in other network namespaces. */
  readonly socketPath?: string
  readonly auditFile: string
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
  readonly accountKeyFile: string
  readonly serviceAddress: string
  readonly advertised: string
}

async function start(config: Config): Promise<number> {
  const store = new Store()
  const tokens = new Tokens(readFileSync(config.accountKeyFile, 'utf8'), store)
  const defaults = { allocateAddress: addressAllocator(config.serviceAddress) }
  const handler = makeHandler({ store, tokens, defaults }, openAuditLog(config.auditFile))
  const listen = async (where: { host: string; port: number } | { path: string }): Promise<HttpsServer> => {
    const server = createServer(tlsOptions(config), (request, response) => void handler(request, response))
    server.listen(where)
    await once(server, 'listening')
    return server
  }
  const server = await listen({ host: config.host, port: config.port })
  const { port } = server.address() as AddressInfo
  seed(store, defaults, { serviceAddress: config.serviceAddress, advertised: config.advertised, port })
  if (config.socketPath !== undefined) await listen({ path: config.socketPath })
  return port
}

function tlsOptions(config: Config) {
  return {
    ca: readFileSync(config.caFile),
    cert: readFileSync(config.certFile),
    key: readFileSync(config.keyFile),
    requestCert: true,
    // A bad certificate is answered with 401, not with a broken handshake.
    rejectUnauthorized: false,
  }
}

/** Gives out the addresses from the 1000th of the range on; the low ones are for those who ask for one by name. */
function addressAllocator(first: string): () => string {
  const base = first.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  let next = base + 999
  return () => {
    next += 1
    return [24, 16, 8, 0].map(shift => Math.floor(next / 2 ** shift) % 256).join('.')
  }
}

process.once('message', (config: Config) => {
  start(config).then(
    port => process.send?.({ port }),
    error => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
      process.exit(1)
    },
  )
})
process.once('disconnect', () => process.exit(0))
