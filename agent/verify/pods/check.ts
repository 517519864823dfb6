import { messageOf } from '../../../cni/host/system-error.ts'
import type { VerifySettings } from '../../config/settings.ts'
import { type Answer, type Check, CheckFault, type Probe, skipped } from '../check.ts'
import type { PeerPort } from '../peers/exchange.ts'
import { largestPacket, payloadOf } from '../peers/packet-size.ts'
import { type Peer, pairOf } from '../peers/peer.ts'
import type { PodPort } from './pod-port.ts'

interface PodPorts {
  readonly pods: PodPort
  readonly port: Pick<PeerPort, 'mtuTowards'>
}

/** What the check of the pods' path between nodes asks for. */
export interface PodsCheckOptions extends PodPorts {
  readonly limitMs: number
  /** Name of this node. */
  readonly node: string
  readonly families: VerifySettings['ipFamilies']
  /** The few to ask, with the addresses of their standing sandboxes. */
  peers(signal: AbortSignal): Promise<readonly Peer[]>
}

/** A first packet that is lost is sent again after a second. */
const mostConnectMs = 1500
/** Each narrow place on the way takes a try to learn of. */
const mostFillMs = 2500
/** Where the kernel does not tell the interface's own size. Longer than that it is cut, and its first part is full-size. */
const usualMtu = 1500

/**
 * Asks the standing sandboxes of a few other nodes: one that refuses a connection, and says of a full-size packet that
 * nobody is there, is reached at full size. Who is at fault where one does not is for `judgePods` to say.
 */
export function createPodsCheck(options: PodsCheckOptions): Check {
  const limitMs = Math.min(options.limitMs, mostFillMs)
  return {
    code: 'pods',
    title: 'pods of two nodes',
    dependsOn: [],
    limitMs,
    overdue: 'PodsUnreachable',
    async run(probe) {
      const asked = (await options.peers(probe.signal)).filter(({ podAddresses = [] }) => podAddresses.length > 0)
      if (asked.length === 0) return [nobody]
      return Promise.all(asked.map(peer => probe.find(pairOf(options.node, peer), () => reach(peer, options, probe))))
    },
  }
}

const nobody = skipped('pods of two nodes', 'NoPeers', 'no other node with a standing sandbox is known')

/** `all`: at each of its addresses; `any`: at one; `primary`: at the first. */
async function reach({ podAddresses = [] }: Peer, options: PodsCheckOptions, probe: Probe): Promise<Answer> {
  const asked = options.families === 'primary' ? podAddresses.slice(0, 1) : podAddresses
  const ends = await Promise.allSettled(asked.map(address => reachOne(address, options, probe.within)))
  const failures = ends.filter(end => end.status === 'rejected')
  const reached = ends.flatMap(end => (end.status === 'fulfilled' ? [end.value] : []))
  const [first] = failures
  if (first !== undefined && (reached.length === 0 || options.families === 'all')) throw first.reason
  return { result: 'pass', message: reached.join('; ') }
}

/** Whether a standing sandbox is reached by packets of full size. */
export async function isReached(address: string, ports: PodPorts, signal: AbortSignal): Promise<boolean> {
  return reachOne(address, ports, question => question(signal)).then(
    () => true,
    () => false,
  )
}

async function reachOne(address: string, { pods, port }: PodPorts, within: Probe['within']): Promise<string> {
  const soon = (signal: AbortSignal) => AbortSignal.any([signal, AbortSignal.timeout(mostConnectMs)])
  await within(signal => pods.connect(address, soon(signal))).catch(error => unreached(address, error))
  const mtu = Math.min((await port.mtuTowards(address)) ?? usualMtu, largestPacket)
  const bytes = payloadOf(address, mtu)
  const what = `${address}, by packets of ${mtu} bytes`
  await within(signal => pods.send(address, bytes, signal)).catch(error => unreached(what, error))
  return `${address} answers, also packets of ${mtu} bytes`
}

function unreached(what: string, error: unknown): never {
  throw new CheckFault('PodsUnreachable', `${what}: ${messageOf(error)}`, error)
}
