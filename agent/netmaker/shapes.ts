import * as v from 'valibot'
import { isJsonObject, type Json } from '../../cni/spec/json.ts'
import { NetmakerError } from './errors.ts'
import type { EgressRule, NetmakerHost, NetmakerNode } from './world.ts'

const text = v.nullish(v.string(), '')
const flag = v.nullish(v.boolean(), false)

const hostShape = v.object({ id: v.string(), name: v.string(), endpointip: text })
const nodeShape = v.object({
  id: v.string(),
  hostid: v.string(),
  network: v.string(),
  connected: v.optional(v.boolean(), true),
  pendingdelete: flag,
  is_static: flag,
})
const ruleShape = v.object({
  id: v.pipe(v.string(), v.nonEmpty()),
  network: v.string(),
  name: text,
  description: text,
  range: text,
  domain: text,
  nat: flag,
  status: flag,
  nodes: v.nullish(v.record(v.string(), v.unknown())),
  tags: v.optional(v.unknown()),
})
const networkShape = v.object({ netid: v.string() })
const statusShape = v.object({ version: text, broker_connected: v.optional(v.boolean()) })

/** What the server says of itself. */
export interface ServerStatus {
  readonly version: string
  /** Whether hosts are told of changes; undefined where the server does not say. */
  readonly brokerConnected: boolean | undefined
}

/** @throws NetmakerError BadReply, as all of these do */
export function readHosts(body: Json): readonly NetmakerHost[] {
  return v.parse(v.array(hostShape), body).map(({ id, name, endpointip }) => ({ id, name, endpoint: endpointip ?? '' }))
}

/** External clients are left out: all of them have the id of none. */
export function readNodes(body: Json): readonly NetmakerNode[] {
  const rows = v.parse(v.array(nodeShape), body).filter(({ is_static }) => is_static !== true)
  return rows.map(({ id, hostid, network, connected, pendingdelete }) => ({
    id,
    hostId: hostid,
    network,
    connected,
    leaving: pendingdelete === true,
  }))
}

export function readNetworks(body: Json): readonly string[] {
  return v.parse(v.array(networkShape), body).map(({ netid }) => netid)
}

export function readRules(body: Json): readonly EgressRule[] {
  return v.parse(v.array(v.unknown()), responseOf(body)).map(readRule)
}

export function readServerStatus(body: Json): ServerStatus {
  const { version, broker_connected } = v.parse(statusShape, body)
  return { version: version ?? '', brokerConnected: broker_connected }
}

function responseOf(body: Json): unknown {
  return isJsonObject(body) ? body.Response : undefined
}

function readRule(raw: unknown): EgressRule {
  const { tags, nodes, status, ...rule } = v.parse(ruleShape, raw)
  return {
    id: rule.id,
    network: rule.network,
    name: rule.name ?? '',
    description: rule.description ?? '',
    range: rule.range ?? '',
    domain: rule.domain ?? '',
    nat: rule.nat === true,
    enabled: status === true,
    nodeIds: Object.keys(nodes ?? {}),
    tagged: typeof tags === 'object' && tags !== null && Object.keys(tags).length > 0,
    // The shape has just found an object.
    raw: raw as EgressRule['raw'],
  }
}

/** Runs one of the readers; what is not of its shape is no answer of such a server. */
export function checked<T>(what: string, read: (body: Json) => T, body: Json): T {
  try {
    return read(body)
  } catch (error) {
    if (!(error instanceof v.ValiError)) throw error
    const at = v.getDotPath(error.issues[0])
    const message = `[netmaker] api-url: ${what}: the answer is not what a Netmaker server says (${at ?? 'no list'})`
    throw new NetmakerError('BadReply', message)
  }
}
