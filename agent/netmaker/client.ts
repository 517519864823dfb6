import { type Json, type JsonObject, printJson } from '../../cni/spec/json.ts'
import { readReply } from './answers.ts'
import { NetmakerError } from './errors.ts'
import { type Call, type ExchangeOptions, openExchange } from './exchange.ts'
import { openSession, type SessionOptions } from './session.ts'
import {
  checked,
  readHosts,
  readNetworks,
  readNodes,
  readRules,
  readServerStatus,
  type ServerStatus,
} from './shapes.ts'
import type { EgressRule, NetmakerHost, NetmakerNode } from './world.ts'

/** The Netmaker server. All calls throw NetmakerError. A write that failed may have been done: list again. */
export interface NetmakerClient {
  listHosts(signal: AbortSignal): Promise<readonly NetmakerHost[]>
  listNodes(signal: AbortSignal): Promise<readonly NetmakerNode[]>
  listNetworks(signal: AbortSignal): Promise<readonly string[]>
  listRules(network: string, signal: AbortSignal): Promise<readonly EgressRule[]>
  status(signal: AbortSignal): Promise<ServerStatus>
  /** Never done twice for one: the server makes a second rule of the same words. */
  createRule(rule: RuleBody, write: Write): Promise<void>
  /** Overwrites all of it; that it is answered does not mean that the rule is still there. */
  updateRule(id: string, rule: RuleBody, write: Write): Promise<void>
  deleteRule(rule: Pick<EgressRule, 'id' | 'network'>, write: Write): Promise<void>
  close(): void
}

/** The rule that is written, in the server's words. */
export interface RuleBody extends JsonObject {
  readonly network: string
}

/** How a write goes. */
export interface Write {
  readonly signal: AbortSignal
  /** Called at the moment at which it leaves; what it throws keeps it back. */
  readonly fence: () => void
}

export interface NetmakerClientOptions extends ExchangeOptions, Omit<SessionOptions, 'exchange'> {
  /** Told of each call that has ended: its method, and the status or the error's code. */
  readonly onAnswer?: (method: string, code: string) => void
}

const rulesPath = '/api/v1/egress'

export function createNetmakerClient(options: NetmakerClientOptions): NetmakerClient {
  const { onAnswer = () => undefined } = options
  const open = openExchange(options)
  const exchange = {
    ...open,
    send: (...call: Parameters<typeof open.send>) => counted(() => open.send(...call), call[0].method, onAnswer),
  }
  const session = openSession({ ...options, exchange })
  const ask = async (call: Call, signal: AbortSignal): Promise<Json> =>
    readReply(call, await session.send(call, signal), session.secrets())
  const list = async <T>(path: string, read: (body: Json) => T, signal: AbortSignal) =>
    checked(`GET ${path}`, read, await ask({ method: 'GET', path }, signal))
  const write = async (call: Omit<Call, 'fence'>, { signal, fence }: Write) => {
    await ask({ ...call, fence }, signal)
  }
  return {
    listHosts: signal => list('/api/hosts', readHosts, signal),
    listNodes: signal => list('/api/nodes', readNodes, signal),
    listNetworks: signal => list('/api/networks', readNetworks, signal),
    async listRules(network, signal) {
      const call: Call = { method: 'GET', path: rulesPath, query: { network } }
      return checked(`GET ${rulesPath}`, readRules, await ask(call, signal))
    },
    status: signal => list('/api/server/status', readServerStatus, signal),
    createRule: (rule, how) => write({ method: 'POST', path: rulesPath, ...bodyOf(rule) }, how),
    // Without an id it is another rule that is overwritten.
    updateRule: (id, rule, how) => write({ method: 'PUT', path: rulesPath, ...bodyOf({ ...rule, id }) }, how),
    deleteRule: ({ id, network }, how) => write({ method: 'DELETE', path: rulesPath, query: { id, network } }, how),
    close: () => open.close(),
  }
}

/** Later versions ask for rights in the network that the query names, not for those in all. */
function bodyOf(rule: RuleBody): Pick<Call, 'query' | 'body'> {
  return { query: { network: rule.network }, body: printJson(rule) }
}

async function counted<R extends { readonly status: number }>(
  send: () => Promise<R>,
  method: string,
  onAnswer: (method: string, code: string) => void,
): Promise<R> {
  try {
    const reply = await send()
    onAnswer(method, String(reply.status))
    return reply
  } catch (error) {
    if (error instanceof NetmakerError) onAnswer(method, error.code)
    throw error
  }
}
