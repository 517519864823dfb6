import { randomUUID } from 'node:crypto'
import { bare, envelope, type FakeHandler, mislabelled, nothing, objectOf, refuse, textOf } from './answers.ts'
import { nodeTemplate } from './node-template.ts'
import type { FakeHost, FakeNode, FakeState, Json } from './state.ts'

export function addHost(state: FakeState, given: Json): FakeHost {
  const { name, hostpass, publickey = [], interfaces = [], macaddress, endpointip, endpointipv6, ...body } = given
  const host: FakeHost = {
    ...hostDefaults,
    ...body,
    id: textOf(given.id),
    name: textOf(name),
    publickey: Buffer.from(publickey as number[]).toString('base64'),
    macaddress: toMac(textOf(macaddress)),
    interfaces: (interfaces as Json[]).map(one => ({ name: one.name, addressString: one.addressString })),
    endpointip: textOf(endpointip),
    endpointipv6: textOf(endpointipv6),
    listenport: Number(body.listenport ?? 51821),
    nodes: null,
  }
  for (const key of ['traffickeypublic', 'interface']) delete host[key]
  state.hosts.set(host.id, host)
  return host
}

const hostDefaults = {
  verbosity: 0,
  firewallinuse: 'nftables',
  version: 'v1.5.1',
  os: 'linux',
  os_family: '',
  os_version: '',
  kernel_version: '',
  debug: false,
  isstaticport: false,
  isstatic: false,
  wg_public_listen_port: 0,
  mtu: 1420,
  defaultinterface: 'eth0',
  isdefault: false,
  nat_type: '',
  persistentkeepalive: 20,
  autoupdate: true,
  dns: 'yes',
  enable_flow_logs: false,
  location: '',
  country_code: '',
}

const toMac = (base64: string) =>
  [...Buffer.from(base64, 'base64')].map(byte => byte.toString(16).padStart(2, '0')).join(':')

/** A host joins a network: its node there. Addresses are given in order, and one that is free is given again. */
export function join(state: FakeState, host: FakeHost, network: string): FakeNode {
  const { addressrange = '', addressrange6 = '' } = state.networks.get(network) ?? {}
  const used = new Set([...state.nodes.values()].filter(one => one.network === network).map(({ address }) => address))
  const prefix = textOf(addressrange).split('.').slice(0, 2).join('.')
  let number = 1
  const at = () => `${prefix}.${number >> 8}.${number & 255}/24`
  while (used.has(at())) number++
  const node: FakeNode = {
    ...structuredClone(nodeTemplate),
    id: randomUUID(),
    hostid: host.id,
    network,
    networkrange: textOf(addressrange),
    networkrange6: textOf(addressrange6),
    address: addressrange === '' ? '' : at(),
    address6: addressrange6 === '' ? '' : `${textOf(addressrange6).replace('/64', '')}${number}/64`,
    connected: true,
    pendingdelete: false,
    status: 'online',
  }
  state.nodes.set(node.id, node)
  host.nodes = [...(host.nodes ?? []), node.id]
  return node
}

export const register: FakeHandler = call => {
  const key = call.state.keys.find(({ token }) => token === call.parts[0])
  const host = addHost(call.state, objectOf(call) ?? {})
  for (const network of (key?.networks ?? []) as string[]) join(call.state, host, network)
  const server = { Server: 'netmaker.example.test', Version: 'v1.5.1' }
  return mislabelled({ server_config: server, requested_host: { ...host, nodes: null } })
}

export const joinNetwork: FakeHandler = ({ state, parts: [id = '', network = ''] }) => {
  const host = state.hosts.get(id)
  if (host === undefined || !state.networks.has(network)) return refuse(500, 'record not found')
  if (host.nodes?.some(node => state.nodes.get(node)?.network === network))
    return refuse(500, `host already part of network ${network}`)
  join(state, host, network)
  return nothing
}

/** By force a node goes at once and its rules lose it; without, it waits, and its rules keep its id even when it goes. */
export const leaveNetwork: FakeHandler = ({ state, query, parts: [id = '', network = ''] }) => {
  const node = [...state.nodes.values()].find(one => one.hostid === id && one.network === network)
  if (node === undefined) return refuse(500, 'record not found')
  if (query.get('force') !== 'true') {
    node.pendingdelete = true
    return nothing
  }
  state.nodes.delete(node.id)
  if (node.pendingdelete) return envelope('force deleted daemon node successfully', null)
  forget(state, node)
  return nothing
}

function forget(state: FakeState, node: FakeNode): void {
  const host = state.hosts.get(node.hostid)
  if (host?.nodes) host.nodes = host.nodes.filter(id => id !== node.id)
  for (const rule of state.rules.values()) delete rule.nodes[node.id]
}

export const listHosts: FakeHandler = ({ state }) => {
  if (state.faults.unreadable.has('hosts_v1')) return refuse(500, 'no such table: hosts_v1')
  return bare(state.faults.filter('hosts', byId(state.hosts.values())))
}

function byId<T extends { readonly id: string }>(rows: Iterable<T>): readonly T[] {
  return [...rows].sort((one, other) => (one.id < other.id ? -1 : 1))
}

export const pageHosts: FakeHandler = ({ state, query }) => {
  const asked = Number(query.get('per_page') ?? 10)
  const size = asked >= 1 && asked <= 100 ? asked : 10
  const page = Number(query.get('page') ?? 1)
  const wanted = (query.get('q') ?? '').toLowerCase()
  const matches = (host: FakeHost) => `${host.name} ${host.id} ${host.endpointip}`.toLowerCase().includes(wanted)
  const all = [...state.hosts.values()].filter(matches).sort((one, other) => (one.name < other.name ? -1 : 1))
  const data = all.slice((Math.max(page, 1) - 1) * size).slice(0, size)
  const counts = { page, per_page: size, total: all.length, total_pages: Math.ceil(all.length / size) }
  return envelope('fetched hosts', { data, ...counts })
}

export const updateHost: FakeHandler = call => {
  const host = call.state.hosts.get(call.parts[0] ?? '')
  if (host === undefined) return refuse(500, 'record not found')
  Object.assign(host, { name: textOf(objectOf(call)?.name) })
  return mislabelled(host)
}

export const deleteHost: FakeHandler = ({ state, query, parts: [id = ''] }) => {
  const host = state.hosts.get(id)
  if (host === undefined) return refuse(500, 'record not found')
  const nodes = [...state.nodes.values()].filter(({ hostid }) => hostid === id)
  if (nodes.length > 0 && query.get('force') !== 'true') return refuse(500, 'host still has associated nodes')
  state.hosts.delete(id)
  for (const node of nodes) {
    state.nodes.delete(node.id)
    forget(state, node)
  }
  return envelope(`deleted host ${host.name}`, host)
}

export const listNodes: FakeHandler = ({ state, parts: [network] }) => {
  const all: readonly { readonly network?: unknown }[] = [...byId(state.nodes.values()), ...state.clients]
  const rows = all.filter(node => network === undefined || node.network === network)
  return bare(state.faults.filter('nodes', rows))
}

export const connectNodes: FakeHandler = call => {
  const body = objectOf(call)
  const ids = body?.ids as string[]
  for (const id of ids) {
    const node = call.state.nodes.get(id)
    if (node === undefined) continue
    node.connected = body?.connected === true
    node.status = node.connected ? 'online' : 'disconnected'
  }
  const what = body?.connected === true ? 'CONNECT' : 'DISCONNECT'
  return envelope(`bulk ${what} of ${ids.length} node(s) accepted`, null, 202)
}

export const syncHost: FakeHandler = ({ state, parts: [id = ''] }) =>
  state.hosts.has(id) ? { status: 200, type: 'application/json', body: '' } : refuse(400, 'record not found')

export const syncHosts: FakeHandler = () => envelope('sync all hosts request received', null)
