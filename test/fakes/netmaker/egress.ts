import { randomUUID } from 'node:crypto'
import ipaddr from 'ipaddr.js'
import { envelope, type FakeCall, type FakeHandler, refuse, textOf } from './answers.ts'
import type { FakeAnswer } from './faults.ts'
import { readRequest } from './go-json.ts'
import { type FakeRule, type FakeState, type Json, timeNow } from './state.ts'

export const listEgress: FakeHandler = ({ state, query }) => {
  const network = query.get('network') ?? ''
  if (network === '') return refuse(400, 'network is required')
  if (state.faults.unreadable.has('egresses'))
    return refuse(500, 'error listing egress resourceno such table: egresses')
  const rows = state.rulesOf(network).map(rule => shownBy(state, rule))
  return envelope('fetched egress resource list', state.faults.filter('rules', rows))
}

/** Older versions know less, later ones more. */
function shownBy(state: FakeState, rule: FakeRule): Json {
  const { version } = state.faults
  if (version === '1.5.1') return rule
  if (version === '1.8') return { access: 'all', tenant_id: 'default', ...rule }
  const { mode: _, virtual_range: __, ...old } = rule
  return { ...old, tags: [] }
}

export const createEgress: FakeHandler = call => {
  const { state } = call
  const read = readBody(call)
  if ('refusal' in read) return read.refusal
  if (state.faults.unreadable.has('egresses'))
    return refuse(500, 'error creating egress resourceno such table: egresses')
  if (state.faults.locked) return refuse(500, 'error creating egress resourcedatabase is locked')
  const fault = findFault(state, read.body)
  if (fault !== undefined) return refuse(400, fault)
  const rule: FakeRule = {
    id: randomUUID(),
    name: '',
    network: textOf(read.body.network),
    description: '',
    nodes: {},
    tags: {},
    range: '',
    mode: 'direct_nat',
    virtual_range: '',
    domain_ans: [],
    domain: '',
    nat: false,
    status: true,
    created_by: call.user,
    created_at: timeNow(),
    updated_at: timeNow(),
  }
  state.rules.set(rule.id, rule)
  write(rule, { ...read.body, status: true })
  rule.mode = 'direct_nat'
  return envelope('created egress resource', shownBy(state, rule))
}

/** Overwrites all fields but network and id; without an id it is the rule with the lowest one of all networks. */
export const updateEgress: FakeHandler = call => {
  const { state } = call
  const read = readBody(call)
  if ('refusal' in read) return read.refusal
  if (state.faults.unreadable.has('egresses')) return refuse(400, 'no such table: egresses')
  if (state.faults.locked) return refuse(500, 'error updating egress resource: database is locked')
  const { body } = read
  const rule = state.rules.get(textOf(body.id) || ([...state.rules.keys()].sort()[0] ?? ''))
  const other = rule !== undefined && textOf(body.network) !== rule.network
  if (other && !state.networks.has(rule.network)) return refuse(400, 'failed to get network record not found')
  const fault = findFault(state, body)
  if (fault !== undefined) return refuse(400, fault)
  if (rule === undefined) return refuse(400, 'record not found')
  write(rule, body)
  rule.updated_at = timeNow()
  return envelope('updated egress resource', shownBy(state, rule))
}

export const deleteEgress: FakeHandler = ({ state, query }) => {
  const id = query.get('id') ?? ''
  if (id === '') return refuse(400, 'id is required')
  if (state.faults.unreadable.has('egresses')) return refuse(400, 'no such table: egresses')
  if (state.faults.locked) return refuse(500, 'database is locked')
  return state.deleteRule(id) ? envelope('deleted egress resource', null) : refuse(400, 'record not found')
}

function readBody(call: FakeCall): { readonly body: Json } | { readonly refusal: FakeAnswer } {
  const read = readRequest(call.text, call.state.faults.version)
  return 'fault' in read ? { refusal: refuse(400, read.fault) } : read
}

/** In the order in which the server looks. */
function findFault(state: FakeState, body: Json): string | undefined {
  const network = textOf(body.network)
  if (network === '') return 'network identifiers not provided'
  if (!state.networks.has(network)) return 'record not found'
  const range = textOf(body.range)
  const domain = textOf(body.domain)
  if (domain !== '' && !domain.includes('.')) return 'bad domain name'
  if (range !== '' && canonical(range) === undefined) return `invalid CIDR address: ${range}`
  const ids = Object.keys((body.nodes as Json | undefined) ?? {})
  if (ids.length > 1) return 'can only set one routing node on CE'
  if (ids.some(id => !state.nodes.has(id))) return 'invalid routing node no result found'
  return undefined
}

function write(rule: FakeRule, body: Json): void {
  const tags = (body.tags ?? {}) as Json
  const nodes = Object.entries((body.nodes as Record<string, number | null> | undefined) ?? {})
  const tagged = Object.keys(tags).length > 0
  rule.name = textOf(body.name)
  rule.description = textOf(body.description)
  rule.tags = tags
  rule.nodes = tagged ? {} : Object.fromEntries(nodes.map(([id, metric]) => [id, metric ?? 0]))
  rule.domain = textOf(body.domain)
  rule.range = rangeOf(body)
  rule.nat = body.nat === true
  rule.mode = rule.nat ? 'direct_nat' : ''
  rule.status = body.status === true
}

function rangeOf(body: Json): string {
  if (body.is_internet_gateway === true) return '*'
  if (textOf(body.domain) !== '') return ''
  return canonical(textOf(body.range)) ?? ''
}

/** As Go's ParseCIDR cuts it; undefined where that refuses. */
function canonical(range: string): string | undefined {
  if (/^\s|(^|\.)0\d/.test(range) || !ipaddr.isValidCIDR(range)) return undefined
  const [address, length] = ipaddr.parseCIDR(range)
  if (address.kind() === 'ipv4') return `${ipaddr.IPv4.networkAddressFromCIDR(range)}/${length}`
  const six = address as ipaddr.IPv6
  if (!six.isIPv4MappedAddress()) return `${ipaddr.IPv6.networkAddressFromCIDR(range)}/${length}`
  if (length < 96) return '<nil>'
  const four = `${six.toIPv4Address()}/${length - 96}`
  return `${ipaddr.IPv4.networkAddressFromCIDR(four)}/${length - 96}`
}
