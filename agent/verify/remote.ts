import * as v from 'valibot'
import type { Endpoint } from '../config/settings.ts'
import { type CheckResult, checkResultSchema } from '../verdict/verdict.ts'
import type { ApiPlace } from './api-path-check.ts'
import type { CheckSettings } from './checks.ts'
import type { ClusterDns } from './dns/cluster-dns.ts'
import type { Peer } from './peers/peer.ts'
import type { RelayedRead } from './shared-reads.ts'

/** Everything that the program in a sandbox is told: it reads neither settings nor secrets, and asks the API nothing. */
export interface ProbeRequest {
  readonly node: string
  readonly overallMs: number
  readonly settings: CheckSettings
  readonly apiService: Endpoint | undefined
  readonly api: ApiPlace | undefined
  readonly reads: readonly RelayedRead[]
  readonly clusterDns: ClusterDns
  readonly peers: readonly Peer[]
  readonly peerPort: number
  /** Of the hosts to dial, as the node resolves them: whose resolver is on its loopback is out of reach from a sandbox. */
  readonly addresses: Readonly<Record<string, readonly string[]>>
  /** Address of the node, as the sandbox reaches it. */
  readonly host: string | undefined
}

const words = v.array(v.string())
const endpoint = v.object({ host: v.string(), port: v.number() })
const maybe = <S extends v.GenericSchema>(schema: S) => v.optional(schema)

const requestShape = v.object({
  node: v.string(),
  overallMs: v.number(),
  settings: v.object({
    dnsDomains: words,
    checkTimeoutMs: v.number(),
    tcp: v.array(endpoint),
    ipFamilies: v.picklist(['any', 'all', 'primary']),
    podPath: v.boolean(),
  }),
  apiService: maybe(endpoint),
  api: maybe(
    v.object({ server: v.string(), caPem: maybe(v.string()), tlsServerName: maybe(v.string()), insecure: v.boolean() }),
  ),
  reads: v.array(v.custom<RelayedRead>(value => typeof value === 'object' && value !== null && 'key' in value)),
  clusterDns: v.object({ domain: maybe(v.string()), servers: words }),
  peers: v.array(
    v.object({ node: v.string(), address: v.string(), ready: v.boolean(), podAddresses: v.exactOptional(words) }),
  ),
  peerPort: v.number(),
  addresses: v.record(v.string(), words),
  host: maybe(v.string()),
})

/** Reads the request; it comes from our own program, so anything else is a fault of it. */
export function parseProbeRequest(line: string): ProbeRequest {
  const { apiService, api, clusterDns, host, ...rest } = v.parse(requestShape, JSON.parse(line))
  return {
    ...rest,
    apiService,
    host,
    api: api && { ...api, caPem: api.caPem, tlsServerName: api.tlsServerName },
    clusterDns: { ...clusterDns, domain: clusterDns.domain },
  }
}

/** Reads the answer. */
export function parseProbeResults(line: string): readonly CheckResult[] {
  return v.parse(v.array(checkResultSchema), JSON.parse(line))
}
