import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { createKubeClient, type KubeClient } from '../../../../agent/kube/client.ts'
import type { KubeCredentials } from '../../../../agent/kube/credentials.ts'
import { fixedCredentials } from '../../../../agent/kube/follow-credentials.ts'

/** Credentials for a server of a test; plain HTTP, no identity. */
export function credentialsFor(server: string, more: Partial<KubeCredentials> = {}): KubeCredentials {
  return {
    source: 'kubeconfig',
    server,
    caPem: undefined,
    tlsServerName: undefined,
    insecure: false,
    token: undefined,
    clientCertPem: undefined,
    clientKeyPem: undefined,
    ...more,
  }
}

/** A client of such a server; ends with the test. */
export function clientFor(t: Test, server: string, more: Partial<KubeCredentials> = {}): KubeClient {
  const client = createKubeClient({
    credentials: fixedCredentials(credentialsFor(server, more)),
    userAgent: 'nopal/test',
  })
  t.teardown(() => client.close())
  return client
}

/** Starts a server that ends with the test, also with connections open. Returns its URL. */
export async function serve(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}`
}

/** The whole body of a request. */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
