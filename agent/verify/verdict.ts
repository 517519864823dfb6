/** Codes of the checks, as users see them in JSON, conditions and metrics. */
export type CheckCode = 'dns' | 'api' | 'tcp' | 'services' | 'wireguard' | 'mtu' | 'peers'

/** Where a check ran from: the host's own network, a throw-away pod network, or a worker pod. */
export type Vantage = 'host' | 'sandbox' | 'worker'

/** `warn` does not fail the node. */
export type Outcome = 'pass' | 'warn' | 'fail' | 'skip'

/** One question asked once by one check, e.g. one name at one name server. */
export interface CheckResult {
  readonly code: CheckCode
  readonly from: Vantage
  /** What was asked, for people: `example.com @10.96.0.10 A`. */
  readonly target: string
  readonly result: Outcome
  /** CamelCase, one per way to fail; absent on a pass. A skip says why it was skipped. */
  readonly reason?: string
  readonly message: string
  readonly seconds: number
}

/** What one run of all checks found; the document of `nopal verify --output json`. */
export interface Verdict {
  readonly node: string
  readonly passed: boolean
  readonly dryRun: boolean
  readonly seconds: number
  readonly checks: readonly CheckResult[]
}
