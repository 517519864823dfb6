import * as v from 'valibot'
import { type CheckResult, checkResultSchema } from '../verdict/verdict.ts'
import type { RelayedRead } from './shared-reads.ts'

const list = <S extends v.GenericSchema>(schema: S) => v.pipe(v.array(schema), v.readonly())
const words = list(v.string())
const endpoint = v.object({ host: v.string(), port: v.number() })
/** JSON leaves out what is undefined. */
const maybe = <S extends v.GenericSchema>(schema: S) => v.optional(schema, () => undefined)

const requestShape = v.object({
  node: v.string(),
  overallMs: v.number(),
  settings: v.object({
    dnsDomains: words,
    checkTimeoutMs: v.number(),
    tcp: list(endpoint),
    ipFamilies: v.picklist(['any', 'all', 'primary']),
    podPath: v.boolean(),
  }),
  apiService: maybe(endpoint),
  api: maybe(
    v.object({ server: v.string(), caPem: maybe(v.string()), tlsServerName: maybe(v.string()), insecure: v.boolean() }),
  ),
  reads: list(v.custom<RelayedRead>(value => typeof value === 'object' && value !== null && 'key' in value)),
  clusterDns: v.object({ domain: maybe(v.string()), servers: words }),
  peers: list(
    v.object({ node: v.string(), address: v.string(), ready: v.boolean(), podAddresses: v.exactOptional(words) }),
  ),
  peerPort: v.number(),
  /** Of the hosts to dial, as the node resolves them: whose resolver is on its loopback is out of reach from a sandbox. */
  addresses: v.record(v.string(), words),
  /** Address of the node, as the sandbox reaches it. */
  host: maybe(v.string()),
})

/** Everything that the program in a sandbox is told: it reads neither settings nor secrets, and asks the API nothing. */
export type ProbeRequest = Readonly<v.InferOutput<typeof requestShape>>

/** Reads the request; it comes from our own program, so anything else is a fault of it. */
export function parseProbeRequest(line: string): ProbeRequest {
  return v.parse(requestShape, JSON.parse(line))
}

/** Reads the answer. */
export function parseProbeResults(line: string): readonly CheckResult[] {
  return v.parse(v.array(checkResultSchema), JSON.parse(line))
}
