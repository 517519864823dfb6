import type { Endpoint } from './parsers.ts'
import type { Values } from './setting.ts'
import type { settingsTable } from './table.ts'

/** The value of every setting, as the table has them. */
export type AllValues = { readonly [S in keyof typeof settingsTable]: Values<(typeof settingsTable)[S]> }

/** Everything the agent can be told, checked and frozen. Durations are milliseconds. Names and defaults: README, "Settings". */
export interface Settings extends Omit<AllValues, 'agent' | 'gate'> {
  readonly nodeName: string
  readonly podNamespace: string
  /** Paths of kubeconfigs, merged as kubectl does; empty = the in-cluster account. */
  readonly kubeconfig: readonly string[]
  /** The API's own Service address, as kubelet tells every pod (KUBERNETES_SERVICE_HOST and _PORT); undefined outside a pod. */
  readonly apiService: Endpoint | undefined
  readonly agent: AgentSettings
  readonly gate: GateSettings
}

type Agent = AllValues['agent']
type Gate = AllValues['gate']

export interface AgentSettings extends Omit<Agent, 'nodeName' | 'podNamespace' | 'kubeconfig' | 'logFormat'> {
  readonly logFormat: 'json' | 'text'
}

/** The section, with what belongs together put together. */
export interface GateSettings extends Omit<Gate, 'taintKey' | 'taintValue' | 'taintEffect' | 'label' | 'labelValue'> {
  readonly taint: { readonly key: string; readonly value: string; readonly effect: Gate['taintEffect'] }
  readonly label: { readonly key: string; readonly value: string }
}

export type { CountOrShare, Endpoint } from './parsers.ts'
export type VerifySettings = AllValues['verify']
export type NetmakerSettings = AllValues['netmaker']
export type InstallSettings = AllValues['install']
export type PoolSettings = AllValues['pool']
export type RemedySettings = AllValues['remedy']
