import * as v from 'valibot'

/** A Node as far as the agent looks at it. */
export interface KubeNode {
  readonly name: string
  /** Another one under the same name is another machine. */
  readonly uid: string
  readonly resourceVersion: string
  /** Milliseconds since 1970; undefined where the server has no valid time. */
  readonly createdMs: number | undefined
  /** Names the machine at its provider; empty where nobody has said. */
  readonly providerId: string
  readonly labels: Readonly<Record<string, string>> | undefined
  /** In the server's order; undefined where there is no list. */
  readonly taints: readonly NodeTaint[] | undefined
  readonly conditions: readonly NodeCondition[]
  readonly podCIDRs: readonly string[]
  readonly unschedulable: boolean
  /** It is being deleted. */
  readonly leaving: boolean
  readonly addresses: readonly NodeAddress[]
}

export interface NodeAddress {
  /** `InternalIP`, `ExternalIP`, `Hostname`, ... */
  readonly type: string
  readonly address: string
}

export interface NodeTaint {
  readonly key: string
  readonly effect: string
  /** Exactly as the server has it, fields unknown to us included: a `test` compares all of it. */
  readonly raw: Readonly<Record<string, unknown>>
}

export interface NodeCondition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
  /** Milliseconds since 1970; undefined where the server has no valid time. */
  readonly heartbeatMs: number | undefined
  readonly transitionMs: number | undefined
}

const text = v.nullish(v.string(), '')

const nodeShape = v.object({
  metadata: v.object({
    name: v.string(),
    uid: v.string(),
    resourceVersion: text,
    creationTimestamp: text,
    deletionTimestamp: text,
    labels: v.nullish(v.record(v.string(), v.string())),
  }),
  spec: v.nullish(
    v.object({
      providerID: text,
      unschedulable: v.nullish(v.boolean()),
      taints: v.nullish(v.array(v.record(v.string(), v.unknown()))),
      podCIDR: v.nullish(v.string()),
      podCIDRs: v.nullish(v.array(v.string())),
    }),
  ),
  status: v.nullish(
    v.object({
      addresses: v.nullish(v.array(v.object({ type: v.string(), address: v.string() }))),
      conditions: v.nullish(
        v.array(
          v.object({
            type: v.string(),
            status: v.string(),
            reason: text,
            message: text,
            lastHeartbeatTime: text,
            lastTransitionTime: text,
          }),
        ),
      ),
    }),
  ),
})

/** Reads a Node; undefined for anything that is none. */
export function parseNode(body: unknown): KubeNode | undefined {
  const result = v.safeParse(nodeShape, body)
  if (!result.success) return undefined
  const { metadata, spec, status } = result.output
  return {
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    createdMs: toMs(metadata.creationTimestamp),
    providerId: spec?.providerID ?? '',
    labels: metadata.labels ?? undefined,
    taints: spec?.taints?.map(raw => ({ key: String(raw.key), effect: String(raw.effect ?? ''), raw })),
    conditions: (status?.conditions ?? []).map(({ lastHeartbeatTime, lastTransitionTime, ...said }) => ({
      ...said,
      heartbeatMs: toMs(lastHeartbeatTime),
      transitionMs: toMs(lastTransitionTime),
    })),
    podCIDRs: spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : []),
    unschedulable: spec?.unschedulable === true,
    leaving: metadata.deletionTimestamp !== '',
    addresses: status?.addresses ?? [],
  }
}

function toMs(time: string): number | undefined {
  const ms = Date.parse(time)
  return Number.isNaN(ms) ? undefined : ms
}

/** The newer of two readings of one object; resourceVersions that are no numbers count as newer when they come. */
export function newerOf<T extends { readonly uid: string; readonly resourceVersion: string }>(
  known: T | undefined,
  come: T,
): T {
  if (known === undefined || known.uid !== come.uid) return come
  return isNumber(known.resourceVersion) &&
    isNumber(come.resourceVersion) &&
    BigInt(come.resourceVersion) < BigInt(known.resourceVersion)
    ? known
    : come
}

function isNumber(text: string): boolean {
  return /^\d{1,40}$/.test(text)
}
