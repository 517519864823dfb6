import ipaddr from 'ipaddr.js'
import { bare, envelope, type FakeHandler, objectOf, textOf } from './answers.ts'
import type { FakeAcl, FakeHost, FakeNode, FakeState } from './state.ts'

interface Peer {
  readonly peer: string
  remove: boolean
  readonly endpoint: string
  allowedIps: string[]
}

/** What a host is told when it pulls, in the short form of the recording. */
export const pull: FakeHandler = ({ state, user }) => {
  const own = [...state.nodes.values()].filter(node => node.hostid === user && isUp(node))
  const peers = new Map<string, Peer>()
  for (const node of own) for (const other of state.nodes.values()) tellOf(state, peers, node, other)
  return bare({ peers: [...peers.values()].sort((one, other) => (one.peer < other.peer ? -1 : 1)) })
}

const isUp = (node: FakeNode) => node.connected && !node.pendingdelete

function tellOf(state: FakeState, peers: Map<string, Peer>, own: FakeNode, other: FakeNode): void {
  const host = state.hosts.get(other.hostid)
  if (host === undefined || other.network !== own.network || other.id === own.id || !isUp(other)) return
  const peer = peers.get(host.id) ?? { peer: host.name, remove: true, endpoint: endpointOf(host), allowedIps: [] }
  peers.set(host.id, peer)
  if (admits(state, own, other) === 'no') return
  peer.remove = false
  const addresses = [other.address, other.address6].map(textOf).filter(address => address !== '')
  peer.allowedIps.push(...addresses.map(address => address.replace(/\/\d+$/, address.includes(':') ? '/128' : '/32')))
  peer.allowedIps.push(...rangesOf(state, { own, other, host }))
}

const endpointOf = ({ endpointip, listenport }: FakeHost) => `${endpointip}:${listenport}`

function policiesOf(state: FakeState, own: FakeNode, other: FakeNode): readonly FakeAcl[] {
  const names = (list: FakeAcl['src_type'], id: string) => list.some(({ value }) => value === '*' || value === id)
  return [...state.acls.values()].filter(
    acl =>
      acl.enabled &&
      acl.network_id === own.network &&
      !acl.id.endsWith('.all-gateways') &&
      ((names(acl.src_type, own.id) && names(acl.dst_type, other.id)) ||
        (names(acl.src_type, other.id) && names(acl.dst_type, own.id))),
  )
}

/** `all` = with the ranges that it routes. */
function admits(state: FakeState, own: FakeNode, other: FakeNode): 'no' | 'peer' | 'all' {
  if (state.acls.get(`${own.network}.all-nodes`)?.enabled) return 'all'
  return policiesOf(state, own, other).length > 0 ? 'peer' : 'no'
}

interface Pair {
  readonly own: FakeNode
  readonly other: FakeNode
  readonly host: FakeHost
}

function rangesOf(state: FakeState, { own, other, host }: Pair): readonly string[] {
  if (admits(state, own, other) !== 'all') return []
  const rules = state.rulesOf(own.network).filter(({ status }) => status)
  const routed = new Set(rules.filter(({ nodes }) => own.id in nodes).map(({ range }) => range))
  const theirs = rules.filter(({ nodes, range }) => other.id in nodes && !routed.has(range))
  return theirs.map(({ range }) => range).filter(range => !holds(range, host.endpointip))
}

function holds(range: string, address: string): boolean {
  if (!ipaddr.isValidCIDR(range) || !ipaddr.isValid(address)) return false
  const [net, length] = ipaddr.parseCIDR(range)
  const one = ipaddr.parse(address)
  return one.kind() === net.kind() && one.match(net, length)
}

export const createAcl: FakeHandler = call => {
  const body = objectOf(call) as unknown as FakeAcl
  const acl = { ...body, id: crypto.randomUUID() }
  call.state.acls.set(acl.id, acl)
  return envelope('created acl successfully', acl)
}

export const updateAcl: FakeHandler = call => {
  const body = objectOf(call) as unknown as FakeAcl
  call.state.acls.set(body.id, body)
  return envelope(`updated acl ${body.name}`, body)
}

export const deleteAcl: FakeHandler = ({ state, query }) => {
  const id = query.get('acl_id') ?? ''
  const name = state.acls.get(id)?.name
  state.acls.delete(id)
  return envelope(`deleted acl ${name}`, null)
}

export const listAcls: FakeHandler = ({ state, query }) => {
  const network = query.get('network') ?? ''
  const rows = [...state.acls.values()].filter(({ network_id }) => network_id === network)
  return envelope(`fetched all acls in the network ${network}`, rows)
}
