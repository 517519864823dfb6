import { formatHostPort } from '../../cni/host/host-port.ts'
import type { Settings } from '../config/settings.ts'
import type { KubeApi } from '../kube/api.ts'
import type { CredentialsSource } from '../kube/follow-credentials.ts'
import type { Logger } from '../runtime/log.ts'
import { addressesOf } from '../sandbox/attachment.ts'
import { SandboxError } from '../sandbox/errors.ts'
import type { SandboxPaths } from '../sandbox/paths.ts'
import type { ProbeProgram } from '../sandbox/probe-process.ts'
import { type Sandbox, withSandbox } from '../sandbox/sandbox.ts'
import type { CheckResult } from '../verdict/verdict.ts'
import type { ApiPlace } from './api-path-check.ts'
import type { Check } from './check.ts'
import { dnsPort, findClusterDns, type PodDns } from './dns/cluster-dns.ts'
import { parseResolvConf } from './dns/resolv-conf.ts'
import { secondsSince } from './engine.ts'
import { resolveAll } from './host-names.ts'
import { readAhead, readKubernetesService } from './kubernetes-service.ts'
import { localAddressTowards } from './peers/exchange.ts'
import type { CheckPorts } from './ports.ts'
import { type ProbeRequest, parseProbeResults } from './remote.ts'
import type { SharedReads } from './shared-reads.ts'
import { failedSandbox, noSandbox, overdueAll, type SandboxFinding, sandboxCheck } from './vantages.ts'

/** What the checks from a sandbox are made from; the same for every run. */
export interface SandboxVantage {
  readonly settings: Settings
  readonly paths: SandboxPaths
  readonly program: Omit<ProbeProgram, 'hostRoot'>
  readonly credentials: CredentialsSource | undefined
  readonly log: Logger
  readonly podDns: PodDns
  /** Of one run of one plugin. */
  readonly limitMs: number
  /** Whether the node is open and its standing sandbox works. */
  standsBy(signal: AbortSignal): Promise<boolean>
  /** Told when a sandbox begins to wait for the network, and when that has attached it, or will not. */
  onAttaching(attaching: boolean): void
}

/** One run's part. */
export interface SandboxRun {
  readonly ports: CheckPorts
  readonly reads: SharedReads | undefined
  /** The checks that will run there; named where they cannot. */
  readonly checks: readonly Check[]
}

/** What is to be said of a sandbox. */
export interface SandboxAnswer {
  readonly results: readonly CheckResult[]
  /** Whether there was one to speak of. */
  readonly made: boolean
}

/** For a run that leaves the host as it is. */
export function unasked(checks: readonly Check[]): SandboxAnswer {
  const message = 'a sandbox writes to this host; --from host,sandbox makes one'
  return { results: noSandbox(checks, 'DryRun', message), made: false }
}

/** Runs the checks in a sandbox, or says of each why it could not run. */
export async function askSandbox(
  vantage: SandboxVantage,
  run: SandboxRun,
  signal: AbortSignal,
): Promise<SandboxAnswer> {
  const startedMs = performance.now()
  const seconds = () => secondsSince(() => performance.now(), startedMs)
  let attached: SandboxFinding | undefined
  // What it will be told is gathered while it is made.
  const request = gatherRequest(vantage, run, signal)
  request.catch(() => undefined)
  vantage.onAttaching(true)
  try {
    const results = await withSandbox(vantage, signal, async sandbox => {
      vantage.onAttaching(false)
      attached = { result: 'pass', message: describeAttachment(sandbox), seconds: seconds() }
      return [sandboxCheck(attached), ...readResults(await sandbox.ask(await addressed(request, sandbox), signal))]
    })
    return { results, made: true }
  } catch (error) {
    if (signal.aborted) return { results: cutShort(run.checks, attached, seconds()), made: true }
    if (!(error instanceof SandboxError)) throw error
    // The rest is how the node is, and its checks say so; this may be a fault of ours.
    if (error.code === 'SandboxFailed') vantage.log.warn({ err: error }, 'the checks from a sandbox were lost')
    const refused = error.code === 'SandboxRefused'
    return withoutSandbox(run.checks, error, { seconds: seconds(), full: refused && (await vantage.standsBy(signal)) })
  } finally {
    vantage.onAttaching(false)
  }
}

/** @param how `full`: the node is not broken, its pods go on working; whoever sends it more is told elsewhere */
function withoutSandbox(
  checks: readonly Check[],
  { code: reason, message }: SandboxError,
  { seconds, full }: { readonly seconds: number; readonly full: boolean },
): SandboxAnswer {
  if (reason === 'NoSandbox' || reason === 'NoNetwork')
    return { results: noSandbox(checks, reason, message), made: false }
  if (!full) return { results: failedSandbox(checks, { result: 'fail', reason, message, seconds }), made: true }
  const words = `${message}; the standing sandbox of this node works`
  return { results: failedSandbox(checks, { result: 'warn', reason, message: words, seconds }), made: false }
}

function describeAttachment({ network, result }: Sandbox): string {
  return [`network ${network} attaches it`, ...addressesOf(result)].join(', ')
}

/** The whole run's time is over. */
function cutShort(checks: readonly Check[], attached: SandboxFinding | undefined, seconds: number) {
  if (attached !== undefined)
    return [sandboxCheck(attached), ...overdueAll(checks, 'the run ended before the sandbox answered')]
  const message = 'the run ended before the network had attached it'
  return failedSandbox(checks, { result: 'fail', reason: 'SandboxTimedOut', message, seconds })
}

/** The request, with where this node is for that sandbox: the address its packets to it would come from. */
async function addressed(request: Promise<Omit<ProbeRequest, 'host'>>, { result }: Sandbox): Promise<string> {
  const known = await request
  const [address] = addressesOf(result)
  const host = address && (await localAddressTowards(address, known.peerPort).catch(() => undefined))
  return JSON.stringify({ ...known, host } satisfies ProbeRequest)
}

/** @throws SandboxError SandboxFailed */
function readResults(line: string): readonly CheckResult[] {
  try {
    return parseProbeResults(line)
  } catch (error) {
    throw new SandboxError('SandboxFailed', 'the program in the sandbox said something else than results', error)
  }
}

async function gatherRequest(
  { settings, credentials, podDns }: SandboxVantage,
  { ports, reads }: SandboxRun,
  signal: AbortSignal,
): Promise<Omit<ProbeRequest, 'host'>> {
  const { dnsDomains, checkTimeoutMs, tcp, ipFamilies, podPath, initialTimeoutMs } = settings.verify
  const how = { signal, timeoutMs: checkTimeoutMs }
  const hosts = [...tcp, ...(settings.apiService === undefined ? [] : [settings.apiService])].map(({ host }) => host)
  const [clusterDns, peers, addresses] = await Promise.all([
    findDns(settings, { ports, told: podDns }, signal),
    ports.findPeers(signal),
    resolveAll(hosts, ports.resolveHost, how),
    reads && readAhead(reads.api, how),
  ])
  return {
    node: settings.nodeName,
    overallMs: initialTimeoutMs,
    settings: { dnsDomains, checkTimeoutMs, tcp, ipFamilies, podPath },
    apiService: settings.apiService,
    api: await placeOf(settings, credentials, reads?.api, how),
    reads: (await reads?.relay()) ?? [],
    clusterDns,
    addresses,
    peers,
    peerPort: settings.agent.listen.port,
  }
}

async function findDns(
  settings: Settings,
  { ports, told }: { readonly ports: CheckPorts; readonly told: PodDns },
  signal: AbortSignal,
) {
  const conf = parseResolvConf(await ports.readResolvConf().catch(() => ''))
  const apiAddress = settings.apiService?.host
  const limitMs = settings.verify.checkTimeoutMs
  return findClusterDns({ conf, port: dnsPort, dns: ports.dns, told, kube: ports.kube, apiAddress, limitMs }, signal)
}

/** The API as pods reach it: at the same address as the agent, except where that is the host's own loopback. */
async function placeOf(
  settings: Settings,
  credentials: CredentialsSource | undefined,
  api: KubeApi | undefined,
  how: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<ApiPlace | undefined> {
  if (credentials === undefined || api === undefined) return undefined
  const { server, caPem, tlsServerName, insecure, proxy } = await credentials.current()
  // Where a proxy leads to is known to the proxy.
  if (proxy !== undefined) return undefined
  const known = { caPem, tlsServerName, insecure }
  if (!isLoopback(new URL(server).hostname)) return { server, ...known }
  if (settings.apiService !== undefined) return { server: urlOf(settings.apiService), ...known }
  const service = await readKubernetesService(api, how).catch(() => undefined)
  const [host, port] = [service?.clusterIps[0], service?.ports[0]?.port]
  return host === undefined || port === undefined ? undefined : { server: urlOf({ host, port }), ...known }
}

function urlOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `https://${formatHostPort(host, port)}`
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.')
}
