import * as v from 'valibot'
import { type KubeApi, KubeError, orAbsent } from '../kube/api.ts'
import type { Block } from './block.ts'

/** Which API of Cilium serves the pools. */
export type PoolVersion = 'cilium.io/v2' | 'cilium.io/v2alpha1'

/** A pool as the cluster has it. */
export interface LivePool {
  readonly uid: string
  readonly blocks: readonly Block[]
  /** Carries our mark. */
  readonly ours: boolean
  /** Who else has written its blocks, by the names that the API server has for them. */
  readonly owners: readonly string[]
  /** Cilium deals out nothing of it: an older pool has one of its addresses. */
  readonly conflicting: boolean
  /** How many addresses were removed, and when (milliseconds since 1970). */
  readonly removals: readonly Removal[]
}

export interface Removal {
  readonly atMs: number
  readonly count: number
}

/** What is written of a pool. */
export interface PoolWrite {
  readonly version: PoolVersion
  readonly name: string
  /** The one that is meant; undefined = there is none, and one is made. */
  readonly uid: string | undefined
  readonly blocks: readonly Block[]
  readonly removals: readonly Removal[]
}

const versions: readonly PoolVersion[] = ['cilium.io/v2', 'cilium.io/v2alpha1']
const plural = 'ciliumloadbalancerippools'
const manager = 'nopal-pool'
const mark = { 'app.kubernetes.io/managed-by': 'nopal' }
const removalsKey = 'nopal.io/removals'

/**
 * The newer of the APIs that serve pools; undefined = none does, Cilium is not there or is too old.
 * @throws KubeError
 */
export async function findPoolVersion(api: KubeApi, signal: AbortSignal): Promise<PoolVersion | undefined> {
  for (const version of versions) {
    const body = await api.request({ method: 'GET', path: `/apis/${version}`, signal }).catch(orAbsent)
    // The group has had a v2 for other kinds long before it had one for pools.
    const result = v.safeParse(v.object({ resources: v.array(v.object({ name: v.string() })) }), body)
    if (result.success && result.output.resources.some(({ name }) => name === plural)) return version
  }
  return undefined
}

/**
 * Reads the pool; undefined = there is none.
 * @throws KubeError
 */
export async function readPool(
  api: KubeApi,
  { version, name }: Pick<PoolWrite, 'version' | 'name'>,
  signal: AbortSignal,
): Promise<LivePool | undefined> {
  const body = await api.request({ method: 'GET', path: pathOf(version, name), signal }).catch(orAbsent)
  return body === undefined ? undefined : parsePool(body)
}

/**
 * Writes the blocks and our marks, and nothing else: selector, switches and status are other people's. Fails and changes
 * nothing where the pool is another one than was meant.
 * @throws KubeError
 */
export async function applyPool(api: KubeApi, write: PoolWrite, signal: AbortSignal): Promise<LivePool> {
  const { version, name, uid, blocks, removals } = write
  const annotations = removals.length === 0 ? {} : { annotations: { [removalsKey]: formatRemovals(removals) } }
  const metadata = { name, ...(uid === undefined ? {} : { uid }), labels: mark, ...annotations }
  // Who had the blocks before loses them here: that the pool is ours, or is to be, was decided by the caller.
  const query = { fieldManager: manager, force: String(uid !== undefined), fieldValidation: 'Strict' }
  const body = { apiVersion: version, kind: 'CiliumLoadBalancerIPPool', metadata, spec: { blocks } }
  const contentType = 'application/apply-patch+yaml'
  return parsePool(
    await api.request({ method: 'PATCH', path: pathOf(version, name), query, body, contentType, signal }),
  )
}

function pathOf(version: PoolVersion, name: string): string {
  return `/apis/${version}/${plural}/${encodeURIComponent(name)}`
}

const texts = v.nullish(v.record(v.string(), v.string()))

const poolShape = v.object({
  metadata: v.object({
    uid: v.string(),
    labels: texts,
    annotations: texts,
    managedFields: v.optional(
      v.array(
        v.object({ manager: v.optional(v.string(), ''), fieldsV1: v.optional(v.record(v.string(), v.unknown())) }),
      ),
    ),
  }),
  spec: v.object({
    blocks: v.nullish(
      v.array(v.object({ cidr: v.optional(v.string()), start: v.optional(v.string()), stop: v.optional(v.string()) })),
    ),
  }),
  status: v.optional(v.object({ conditions: v.optional(v.array(v.object({ type: v.string(), status: v.string() }))) })),
})

function parsePool(body: unknown): LivePool {
  const result = v.safeParse(poolShape, body)
  if (!result.success) throw new KubeError('BadReply', 'the answer is no CiliumLoadBalancerIPPool')
  const { metadata, spec, status } = result.output
  const { labels, annotations, managedFields = [] } = metadata
  const writers = managedFields.filter(({ fieldsV1 }) => hasBlocks(fieldsV1?.['f:spec']))
  return {
    uid: metadata.uid,
    blocks: spec.blocks ?? [],
    ours: Object.entries(mark).every(([key, value]) => labels?.[key] === value),
    owners: [...new Set(writers.map(entry => entry.manager))].filter(name => name !== manager),
    conflicting: (status?.conditions ?? []).some(
      ({ type, status: is }) => ['cilium.io/PoolConflict', 'io.cilium/conflict'].includes(type) && is === 'True',
    ),
    removals: parseRemovals(annotations?.[removalsKey] ?? ''),
  }
}

function hasBlocks(fields: unknown): boolean {
  return typeof fields === 'object' && fields !== null && 'f:blocks' in fields
}

/** `2026-01-01T00:00:00.000Z=2`, with a space between. */
function formatRemovals(removals: readonly Removal[]): string {
  return removals.map(({ atMs, count }) => `${new Date(atMs).toISOString()}=${count}`).join(' ')
}

function parseRemovals(text: string): readonly Removal[] {
  const found = text.matchAll(/(\d{4}-[\dT:.-]+Z)=(\d{1,6})/g)
  return [...found]
    .map(([, time = '', count]) => ({ atMs: Date.parse(time), count: Number(count) }))
    .filter(({ atMs }) => !Number.isNaN(atMs))
}
