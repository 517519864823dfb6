import type { JsonObject } from '../../cni/spec/json.ts'

/** A Kubernetes Node as far as rules are about it. */
export interface ClusterNode {
  readonly name: string
  readonly uid: string
  /** As the Node has them. */
  readonly podCIDRs: readonly string[]
  /** Whether its rules have effect, as the Node says; undefined = it never said. */
  readonly inEffect?: EffectCondition | undefined
}

/** What a Node's condition says of its rules, without its times. */
export interface EffectCondition {
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

/** A machine that Netmaker knows. Names are not unique. */
export interface NetmakerHost {
  readonly id: string
  readonly name: string
  /** Empty where there is none. */
  readonly endpoint: string
}

/** A host's part in one network. */
export interface NetmakerNode {
  readonly id: string
  readonly hostId: string
  readonly network: string
  /** It was told to go: its peers have dropped it already. */
  readonly leaving: boolean
  readonly connected: boolean
}

/** An egress rule. */
export interface EgressRule {
  readonly id: string
  readonly network: string
  readonly name: string
  readonly description: string
  readonly range: string
  readonly domain: string
  readonly nat: boolean
  readonly enabled: boolean
  /** Ids of the nodes that route the range. */
  readonly nodeIds: readonly string[]
  /** It has tags: then the server empties its nodes. */
  readonly tagged: boolean
  /** As the server has it; a PUT sends back what is not ours. */
  readonly raw: JsonObject
}

/** What the Netmaker server has. */
export interface Mesh {
  readonly hosts: readonly NetmakerHost[]
  readonly nodes: readonly NetmakerNode[]
  /** By network; a network that was not listed is not there. */
  readonly rules: ReadonlyMap<string, readonly EgressRule[]>
}
