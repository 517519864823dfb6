import type { Vantage } from '../../verdict/verdict.ts'
import { type Check, CheckFault, type Finding, type Probe, skipped } from '../check.ts'
import type { PeerPort } from './exchange.ts'
import { leastBytes } from './message.ts'
import { largestPacket, payloadOf } from './packet-size.ts'
import { type Peer, targetOf } from './peer.ts'

/** What the checks of peers ask for. */
export interface PeersCheckOptions {
  readonly limitMs: number
  readonly from: Vantage
  readonly port: PeerPort
  /** The few to ask, chosen for this node. */
  peers(signal: AbortSignal): Promise<readonly Peer[]>
  /** Where the own node's agent is, seen from a sandbox of it. */
  readonly host?: string | undefined
}

/** A mesh answers in milliseconds; waiting longer would hold every verdict up for a peer that is gone. */
const mostMs = 1000
/** Who answers small datagrams is worth a longer wait: each narrow place on the way, there and back, takes a try to learn of. */
const mostFillMs = 2500
/** A peer that may still be starting is not waited for. */
const unreadyMs = 300
/** One silent peer may be at fault itself; two at once hardly. */
const enoughSilent = 2
/**
 * Sizes of usual networks, where the interface's own is not known: no IPv6, or too small for it. Too long ones are cut and
 * prove nothing, but harm nothing.
 */
const usualMtus = [1500, 1480, 1450, 1440, 1420, 1412, 1400, 1380, 1280, 1200, 1000, 576]

/** Reaches a few other agents by a small datagram. */
export function createPeersCheck(options: PeersCheckOptions): Check {
  const limitMs = Math.min(options.limitMs, mostMs)
  return {
    code: 'peers',
    title: 'peers',
    dependsOn: [],
    limitMs,
    overdue: 'PeersUnreachable',
    async run(probe) {
      const peers = await options.peers(probe.signal)
      if (peers.length === 0) return [skipped('peers', 'NoPeers', 'no other agent is known')]
      const findings = await Promise.all(peers.map(peer => reach(peer, options.port, probe)))
      return judgeReach(peers, findings, options.from)
    },
  }
}

/** Sends datagrams as large as the way out takes to those that answer small ones. */
export function createMtuCheck(options: PeersCheckOptions): Check {
  const limitMs = Math.min(options.limitMs, mostFillMs)
  return {
    code: 'mtu',
    title: 'MTU',
    dependsOn: [],
    limitMs,
    overdue: 'BlackHole',
    async run(probe) {
      const peers = await options.peers(probe.signal)
      const [own, others] = await Promise.all([
        fillAll(ownNode(options), options.port, probe),
        fillAll(peers, options.port, probe),
      ])
      return [
        ...own,
        ...(others.length === 0 ? [skipped('peers', 'NoPeers', 'no other agent answers')] : judgeSizes(others)),
      ]
    },
  }
}

/** Between a sandbox and its node nobody else can be at fault; nor need anybody answer there. */
function ownNode({ host }: PeersCheckOptions): readonly Peer[] {
  return host === undefined ? [] : [{ node: 'this node', address: host, ready: false }]
}

async function fillAll(peers: readonly Peer[], port: PeerPort, probe: Probe): Promise<readonly Finding[]> {
  const found = await Promise.all(
    peers.map(async peer =>
      (await reach(peer, port, probe)).result === 'pass' ? [await fill(peer, port, probe)] : [],
    ),
  )
  return found.flat()
}

function reach(peer: Peer, port: PeerPort, probe: Probe): Promise<Finding> {
  const { address, ready } = peer
  const limit = (signal: AbortSignal) => AbortSignal.any([signal, AbortSignal.timeout(ready ? mostMs : unreadyMs)])
  return probe.find(targetOf(peer), async () => {
    await probe.within(signal => port.echo(address, leastBytes, limit(signal)))
    return { result: 'pass', message: 'answers' }
  })
}

/**
 * Nobody answers the host, though several should: it is this node. A peer that may not be up yet counts for nothing.
 * From a sandbox the silence of all counts in any case: whether they answer the host is known only where both are.
 */
function judgeReach(peers: readonly Peer[], findings: readonly Finding[], from: Vantage): readonly Finding[] {
  const silent = peers.filter((peer, index) => peer.ready && findings[index]?.result === 'fail')
  const allSilent = findings.every(each => each.result === 'fail')
  const cutOff = allSilent && (from === 'sandbox' || silent.length >= enoughSilent)
  return cutOff ? findings : findings.map(toWarning)
}

async function fill(peer: Peer, port: PeerPort, probe: Probe): Promise<Finding> {
  const { address } = peer
  const mtu = await port.mtuTowards(address)
  const sizes = mtu === undefined ? usualMtus : [Math.min(mtu, largestPacket)]
  const target = `${targetOf(peer)} ${mtu === undefined ? 'usual sizes' : `${sizes.join()} bytes`}`
  return probe.find(target, async () => {
    const send = (size: number) => probe.within(signal => port.echo(address, payloadOf(address, size), signal))
    await Promise.all(sizes.map(size => send(size).catch(error => swallowed(size, error))))
    return { result: 'pass', message: `packets of ${sizes.join(', ')} bytes come through` }
  })
}

function swallowed(size: number, error: unknown): never {
  const message = `small packets come through, but none of ${size} bytes, and nothing says why`
  throw error instanceof CheckFault ? new CheckFault('BlackHole', message, error) : error
}

/** A hole on the way to one of several peers is more likely at the other end. */
function judgeSizes(findings: readonly Finding[]): readonly Finding[] {
  return findings.some(each => each.result === 'pass') ? findings.map(toWarning) : findings
}

function toWarning(finding: Finding): Finding {
  return finding.result === 'fail' ? { ...finding, result: 'warn' } : finding
}
