import type { Agent } from 'node:http'
import type { RequestOptions } from 'node:https'
import type { KubeCredentials, KubeProxy } from './credentials.ts'

/** A proxy that takes the connection and then says nothing. */
const silentMs = 60_000

/** Makes connections through a kubeconfig's `proxy-url`, HTTP or SOCKS, by the library that knows both. */
export async function createProxy(
  url: string,
  { tlsServerName, insecure }: Pick<KubeCredentials, 'tlsServerName' | 'insecure'>,
): Promise<KubeProxy> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  const cluster = { name: 'proxied', server: 'https://proxied', skipTLSVerify: insecure, proxyUrl: url }
  config.loadFromClusterAndUser({ ...cluster, ...(tlsServerName !== undefined && { tlsServerName }) }, { name: 'any' })
  // Of a SOCKS connection it would be the longest pause, and a watch pauses for longer.
  const options: RequestOptions = url.startsWith('http') ? { timeout: silentMs } : {}
  await config.applyToHTTPSOptions(options)
  // It has put its own there; whom we trust and who we are goes with each request.
  return { url, agent: options.agent as Agent }
}
