/** Everything the agent can be told, checked and frozen. Durations are milliseconds. Names and defaults: README, "Settings". */
export interface Settings {
  readonly nodeName: string
  readonly podNamespace: string
  /** Path of a kubeconfig; undefined = the in-cluster account. */
  readonly kubeconfig: string | undefined
  /** The API's own Service address, as kubelet tells every pod (KUBERNETES_SERVICE_HOST and _PORT); undefined outside a pod. */
  readonly apiService: Endpoint | undefined
  readonly agent: AgentSettings
  readonly verify: VerifySettings
  readonly gate: GateSettings
  readonly wireguard: WireguardSettings
  readonly install: InstallSettings
}

export interface AgentSettings {
  readonly listen: Endpoint
  readonly socket: string
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  readonly logFormat: 'json' | 'text'
}

/** A host and a port; an empty host means every address of the machine. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

export interface VerifySettings {
  readonly dnsDomains: readonly string[]
  readonly checkTimeoutMs: number
  readonly initialTimeoutMs: number
  readonly maxRetries: number
  readonly retryBackoff: 'exponential' | 'linear'
  readonly intervalMs: number
  readonly tcp: readonly Endpoint[]
  readonly from: readonly ('host' | 'sandbox')[]
  readonly ipFamilies: 'any' | 'all' | 'primary'
}

export interface GateSettings {
  readonly mode: 'bootstrap' | 'continuous'
  readonly taint: Taint
  readonly label: { readonly key: string; readonly value: string }
  /** A count of nodes or a share (0 to 1) of them. */
  readonly maxUnavailable: { readonly nodes: number } | { readonly share: number }
  readonly bad: number
  readonly goodMs: number
  readonly dryRun: boolean
}

export interface Taint {
  readonly key: string
  readonly value: string
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
}

export interface WireguardSettings {
  readonly heal: 'off' | 'observe' | 'heal'
  /** Empty = every interface. */
  readonly interfaces: readonly string[]
  readonly endpoint: string | undefined
  readonly expectExternal: boolean
}

export interface InstallSettings {
  readonly enabled: boolean
  readonly cniBinDir: string
  readonly cniConfDir: string
  readonly hostRoot: string
}
