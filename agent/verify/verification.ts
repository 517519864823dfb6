import type { Settings } from '../config/settings.ts'
import type { KubeApi } from '../kube/api.ts'
import type { CredentialsSource } from '../kube/follow-credentials.ts'
import { type SettledReads, settleReads } from '../kube/settled-reads.ts'
import { systemClock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import type { ProcessPorts } from '../runtime/process.ts'
import { sandboxPaths } from '../sandbox/paths.ts'
import { sweepSandboxes } from '../sandbox/sweep.ts'
import type { Verdict } from '../verdict/verdict.ts'
import { createTlsHandshake, type TlsHandshake } from './api-path-check.ts'
import { createChecks, createSocketPorts } from './checks.ts'
import { createPodDns } from './dns/pod-dns.ts'
import { type ProbeGroup, type Progress, runChecks } from './engine.ts'
import { resolveOnce } from './host-names.ts'
import { createPeerPort } from './peers/exchange.ts'
import { createPeerTurns, type Peer, type PeerTurns } from './peers/peer.ts'
import { createPeerSource, type PeerSource } from './peers/source.ts'
import { judgePods } from './pods/judge.ts'
import { settlePodsPath } from './pods-path.ts'
import type { CheckPorts } from './ports.ts'
import { askSandbox, type SandboxVantage, unasked } from './sandbox-vantage.ts'
import { shareReads } from './shared-reads.ts'
import { createWireguardChecks, type WireguardSource } from './wireguard-check.ts'

/** A machine that is busy starting processes is not one whose network hangs. */
const leastAttachMs = 5_000

/** The checks of this node, ready to run as often as wanted. */
export interface Verification {
  run(signal: AbortSignal, onProgress?: (progress: Progress) => void): Promise<Verdict>
  /** Whether a run waits for the network to attach its sandbox. */
  isAttaching(): boolean
}

export interface VerificationOptions {
  readonly process: Pick<ProcessPorts, 'self' | 'env'>
  readonly settings: Settings
  readonly log: Logger
  readonly dryRun: boolean
  /** Leaves the host as it is: no sandbox is made there, and none swept. */
  readonly sparesHost?: boolean
  /** Whether this process is in a pod of the node: then it looks from there, and from nowhere else. */
  readonly inWorker?: boolean
  /** undefined = no cluster is known. */
  readonly kube: KubeApi | undefined
  readonly credentials: CredentialsSource | undefined
  /** Whether a watch proves right now that the API answers us. */
  readonly live?: () => boolean
  /** Absent = nobody looks at WireGuard. */
  readonly wireguard?: WireguardSource | undefined
  /** Addresses of the nodes' standing sandboxes by name of the node; never throws. Absent = none are known. */
  readonly podAddresses?: ((signal: AbortSignal) => Promise<ReadonlyMap<string, readonly string[]>>) | undefined
  /** Whether this node is open and its standing sandbox works. Absent = there is none. */
  readonly standsBy?: (signal: AbortSignal) => Promise<boolean>
}

/** Puts the checks together. */
export function createVerification(options: VerificationOptions): Verification {
  const { settings, kube, live = () => false, standsBy = async () => false } = options
  const reads = kube === undefined ? undefined : settleReads(kube, live)
  let isAttaching = false
  const vantage: SandboxVantage = {
    settings,
    log: options.log,
    credentials: options.credentials,
    paths: sandboxPaths(settings.install),
    program: options.process,
    podDns: createPodDns(settings, systemClock),
    limitMs: Math.max(settings.verify.checkTimeoutMs, leastAttachMs),
    standsBy,
    onAttaching(attaching) {
      isAttaching = attaching
    },
  }
  const handshake = createOwnHandshake(options.credentials)
  const turns = createPeerTurns(settings.nodeName, settings.verify.peers)
  const work: Work = { options, reads, vantage, handshake, source: kube && createSource(settings, kube), turns }
  const makesSandboxes = settings.verify.from.includes('sandbox') && !options.sparesHost && !options.inWorker
  let first: Promise<unknown> | undefined
  let sweeping: Promise<unknown> | undefined
  return {
    async run(signal, onProgress) {
      // Beside the run, not before it: what earlier ones have left harms nobody for a second.
      if (makesSandboxes)
        sweeping ??= sweepSandboxes({ ...vantage, signal }).finally(() => {
          sweeping = undefined
        })
      first ??= sweeping
      const verdict = await runSettled(work, () => runOnce(work, signal, onProgress))
      await first
      return verdict
    },
    isAttaching: () => isAttaching,
  }
}

/** Through a proxy there is no short way to the API's door. */
function createOwnHandshake(credentials: CredentialsSource | undefined): TlsHandshake | undefined {
  const isStraight = credentials !== undefined && credentials.last().proxy === undefined
  return isStraight ? createTlsHandshake(credentials.current) : undefined
}

interface Work {
  readonly options: VerificationOptions
  readonly reads: SettledReads | undefined
  readonly vantage: SandboxVantage
  readonly handshake: TlsHandshake | undefined
  readonly source: PeerSource | undefined
  readonly turns: PeerTurns
}

function createSource({ podNamespace, verify }: Settings, kube: KubeApi): PeerSource {
  return createPeerSource({ kube, namespace: podNamespace, clock: systemClock, limitMs: verify.checkTimeoutMs })
}

/** A failure that rests on answers from memory is looked at again with fresh ones before anyone hears of it. */
async function runSettled({ reads, source }: Work, run: () => Promise<Verdict>): Promise<Verdict> {
  const verdict = await run()
  // What the network's plugins say is asked each time.
  if (verdict.checks.every(({ code, result }) => code === 'sandbox' || result !== 'fail')) return verdict
  source?.forget()
  return reads?.forget() ? run() : verdict
}

async function runOnce(work: Work, signal: AbortSignal, onProgress?: (progress: Progress) => void): Promise<Verdict> {
  const { settings, dryRun } = work.options
  const verdict = await runChecks({
    node: settings.nodeName,
    dryRun,
    groups: createGroups(work),
    overallMs: settings.verify.initialTimeoutMs,
    signal,
    settle: results => settlePodsPath(judgePods(results, { node: settings.nodeName, peers: work.turns.chosen() })),
    ...(onProgress === undefined ? {} : { onProgress }),
  })
  const silent = verdict.checks.filter(
    ({ code, result }) => (code === 'peers' || code === 'pods') && (result === 'fail' || result === 'warn'),
  )
  work.turns.noteSilent(new Set(silent.map(({ target }) => target)))
  return verdict
}

/** Host and sandbox side by side. Where no sandbox can be had, the host's checks speak for the node. */
function createGroups(work: Work): readonly ProbeGroup[] {
  const { options, reads, vantage, handshake } = work
  const { settings } = options
  const shared = reads && shareReads(reads.api)
  const ports = createPorts(work, shared?.api)
  const { wireguard } = options
  const { nodeName: node, apiService, verify } = settings
  const common = { node, settings: verify, apiService, podDns: vantage.podDns, ports }
  // A pod's own resolv.conf says how pods resolve names.
  if (options.inWorker)
    return [{ from: 'worker', checks: createChecks({ ...common, podDns: undefined, from: 'worker', handshake }) }]
  const host: ProbeGroup = { from: 'host', checks: createChecks({ ...common, from: 'host', handshake, wireguard }) }
  const fromHost = settings.verify.from.includes('host')
  if (!settings.verify.from.includes('sandbox')) return [host]
  const sandbox: ProbeGroup = {
    from: 'sandbox',
    async ask(signal) {
      const checks = createChecks({ ...common, from: 'sandbox' })
      const { results, made } = options.sparesHost
        ? unasked(checks)
        : await askSandbox(vantage, { ports, reads: shared, checks }, signal)
      if (made || fromHost) return results
      const instead = await runChecks({
        node: '',
        dryRun: true,
        groups: [host],
        overallMs: settings.verify.initialTimeoutMs,
        signal,
      })
      return [...instead.checks, ...results]
    },
  }
  if (fromHost) return [host, sandbox]
  // Devices are the host's, wherever the other checks look from.
  const mesh: ProbeGroup = {
    from: 'host',
    checks: wireguard ? createWireguardChecks(wireguard, settings.verify.checkTimeoutMs) : [],
  }
  return [mesh, sandbox]
}

function createPorts(work: Work, kube: KubeApi | undefined): CheckPorts {
  const { agent } = work.options.settings
  let peers: ReturnType<CheckPorts['findPeers']> | undefined
  const sockets = createSocketPorts({
    kube,
    peers: createPeerPort(agent.listen.port),
    findPeers(signal) {
      // Four checks of one run ask; the first question counts for all.
      peers ??= choosePeers(work, signal)
      return peers
    },
  })
  return { ...sockets, resolveHost: resolveOnce(sockets.resolveHost) }
}

/** The few for this run, and where their pods are. */
async function choosePeers({ options, source, turns }: Work, signal: AbortSignal): Promise<readonly Peer[]> {
  const [known, pods] = await Promise.all([source?.peers(signal) ?? [], options.podAddresses?.(signal)])
  return turns.next(known).map(peer => {
    const podAddresses = pods?.get(peer.node)
    return podAddresses === undefined ? peer : { ...peer, podAddresses }
  })
}
