import * as v from 'valibot'
import type { Reason } from './reasons.ts'

/**
 * Every check, by the code that users see in JSON, conditions and metrics: what people call it, and how grave its failure
 * is, the higher, the graver. A hole in the path explains what fails beside it, so its reason is the one that the node shows.
 */
const checks = {
  dns: { title: 'DNS', severity: 3 },
  api: { title: 'Kubernetes API', severity: 5 },
  tcp: { title: 'TCP', severity: 2 },
  services: { title: 'Service discovery', severity: 1 },
  wireguard: { title: 'WireGuard endpoints', severity: 7 },
  mtu: { title: 'Path MTU', severity: 6 },
  peers: { title: 'Other nodes', severity: 2 },
  pods: { title: 'Pods of other nodes', severity: 3 },
  egress: { title: 'Pod CIDRs in the mesh', severity: 4 },
  sandbox: { title: 'Probe sandbox', severity: 4 },
} as const

export type CheckCode = keyof typeof checks

/** In the order in which results are counted. */
export const checkCodes = Object.keys(checks) as readonly CheckCode[]

/** What people call a check. */
export function titleOf(code: CheckCode): string {
  return checks[code].title
}

/** How grave a failing check is, from whatever place. */
export function severityOf(code: CheckCode): number {
  return checks[code].severity
}

const outcomes = ['pass', 'warn', 'fail', 'skip'] as const
const vantages = ['host', 'sandbox', 'worker'] as const

/** Where a check ran from: the host's own network, a throw-away pod network, or a worker pod. */
export type Vantage = (typeof vantages)[number]

/** `warn` does not fail the node. */
export type Outcome = (typeof outcomes)[number]

/** Reads a result that another process has written. */
export const checkResultSchema = v.object({
  code: v.picklist(checkCodes),
  from: v.picklist(vantages),
  /** What was asked, for people: `example.com @10.96.0.10 A`. */
  target: v.string(),
  result: v.picklist(outcomes),
  /** Absent on a pass. A skip says why it was skipped. A newer program may have more of them. */
  reason: v.exactOptional(v.custom<Reason>(value => typeof value === 'string')),
  message: v.string(),
  seconds: v.number(),
})

/** One question asked once by one check, e.g. one name at one name server. */
export type CheckResult = Readonly<v.InferOutput<typeof checkResultSchema>>

/** Reads a verdict that another process has written. */
export const verdictSchema = v.object({
  node: v.string(),
  passed: v.boolean(),
  dryRun: v.boolean(),
  seconds: v.number(),
  checks: v.pipe(v.array(checkResultSchema), v.readonly()),
})

/** What one run of all checks found; the document of `nopal verify --output json`. */
export type Verdict = Readonly<v.InferOutput<typeof verdictSchema>>
