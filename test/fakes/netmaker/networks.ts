import { randomUUID } from 'node:crypto'
import { bare, envelope, type FakeHandler, mislabelled, objectOf, refuse, textOf } from './answers.ts'
import { type FakeState, type Json, timeNow } from './state.ts'

export function addNetwork(state: FakeState, name: string, range: string, range6 = ''): Json {
  const network = {
    id: randomUUID(),
    netid: name,
    addressrange: range,
    addressrange6: range6,
    defaultkeepalive: 20,
    defaultmtu: 1280,
    auto_join: true,
    auto_remove: false,
    auto_remove_tags: [],
    auto_remove_threshold: 0,
    jit_enabled: false,
    virtual_nat_pool_ipv4: '',
    virtual_nat_site_prefixlen_ipv4: 0,
    nodes_updated_at: timeNow(),
    created_by: '',
    created_at: timeNow(),
    updated_at: timeNow(),
  }
  state.networks.set(name, network)
  const key = { networks: [name], tags: [name], token: `fake-enrolment-token-${name}` }
  state.keys.push({ ...key, unlimited: true, default: true })
  for (const kind of ['gateways', 'nodes']) {
    const title = kind === 'nodes' ? 'All Nodes' : 'All Gateways'
    const all = [{ id: 'tag', value: '*' }]
    const id = `${name}.all-${kind}`
    state.acls.set(id, { id, name: title, enabled: true, network_id: name, src_type: all, dst_type: all })
  }
  return network
}

export const createNetwork: FakeHandler = call => {
  const { state } = call
  const body = objectOf(call)
  const name = textOf(body?.netid)
  const range = textOf(body?.addressrange)
  const range6 = textOf(body?.addressrange6)
  if (!/^[a-z0-9_-]+$/.test(name)) return refuse(400, 'invalid character(s) in network name')
  if (name.length > 32) return refuse(400, "network name shouldn't exceed 32 characters")
  if (range === '' && range6 === '') return refuse(400, 'IPv4 or IPv6 CIDR required')
  if (/\/3[12]$/.test(range)) return refuse(400, 'cannot create network with /31 or /32 cidr')
  if (state.networks.has(name)) return refuse(400, 'invalid network name')
  if ([...state.networks.values()].some(one => one.addressrange === range && range !== ''))
    return refuse(400, 'network cidr already in use')
  return bare(addNetwork(state, name, range, range6))
}

export const listNetworks: FakeHandler = ({ state }) => {
  const names = [...state.networks.keys()].sort()
  return mislabelled(names.map(name => state.networks.get(name)))
}

export const readNetwork: FakeHandler = ({ state, parts: [name = ''] }) => {
  const network = state.networks.get(name)
  return network === undefined ? refuse(404, 'record not found') : bare(network)
}

/** Its rules stay, with the ids of nodes that are no more. */
export const deleteNetwork: FakeHandler = ({ state, parts: [name = ''] }) => {
  state.networks.delete(name)
  for (const node of [...state.nodes.values()].filter(({ network }) => network === name)) {
    state.nodes.delete(node.id)
    const host = state.hosts.get(node.hostid)
    if (host?.nodes) host.nodes = host.nodes.filter(id => id !== node.id)
  }
  state.clients.splice(0)
  return envelope('success', null)
}

export const listKeys: FakeHandler = ({ state }) => mislabelled(state.keys)

export const createKey: FakeHandler = call => {
  const body = objectOf(call)
  const tags = body?.tags as string[]
  const key = { networks: body?.networks, tags, token: `fake-enrolment-token-${tags[0]}`, unlimited: true }
  call.state.keys.push({ ...key, default: false })
  return mislabelled({ ...key, default: false })
}
