import * as v from 'valibot'
import { CodedError } from '../../cni/host/coded-error.ts'
import type { KubeApi } from '../kube/api.ts'
import { listPages } from '../kube/list.ts'
import type { KubeNode } from '../kube/node.ts'

/** A NodeClaim that stands for a Node. */
export interface NodeClaim {
  readonly name: string
  readonly uid: string
  /** Version of its API: `v1`. */
  readonly version: string
  readonly going: boolean
}

/** The cluster does not say for certain which NodeClaim is the node's, or that none is. */
export class NodeClaimError extends CodedError<
  'UnknownVersion' | 'SeveralNodeClaims' | 'UnsettledNodeClaim' | 'BadReply'
> {
  override readonly name = 'NodeClaimError'
}

const group = 'karpenter.sh'
/** Newest first. */
const versions = ['v1', 'v1beta1'] as const

const groupsShape = v.object({
  kind: v.literal('APIGroupList'),
  groups: v.array(v.object({ name: v.string(), versions: v.array(v.object({ version: v.string() })) })),
})

const text = v.nullish(v.string(), '')
const claimShape = v.object({
  metadata: v.object({ name: v.string(), uid: v.string(), deletionTimestamp: text }),
  status: v.nullish(v.object({ nodeName: text, providerID: text })),
})

type Claim = v.InferOutput<typeof claimShape>

/**
 * The one NodeClaim of a Node, by its name or by its machine.
 * @returns undefined = there certainly is none: the list of API groups has no karpenter.sh, or all NodeClaims were read
 *   and none can be the node's
 * @throws KubeError, NodeClaimError: nobody knows
 */
export async function findNodeClaim(
  api: KubeApi,
  node: Pick<KubeNode, 'name' | 'providerId'>,
  signal: AbortSignal,
): Promise<NodeClaim | undefined> {
  const version = await findVersion(api, signal)
  if (version === undefined) return undefined
  const read = ({ body, key }: { readonly body: unknown; readonly key: string }): Claim | undefined => {
    const claim = readClaim(body, key)
    return canBeOf(claim, node) ? claim : undefined
  }
  const path = `/apis/${group}/${version}/nodeclaims`
  const pages = await Array.fromAsync(listPages({ api, path, signal, read }))
  const [claim, ...others] = pages.flatMap(({ values }) => values)
  if (claim === undefined) return undefined
  if (others.length > 0) throw new NodeClaimError('SeveralNodeClaims', `more than one NodeClaim may be ${node.name}'s`)
  const { name, uid, deletionTimestamp } = claim.metadata
  if (!isOf(claim, node))
    throw new NodeClaimError('UnsettledNodeClaim', `NodeClaim ${name} has no node yet and may be ${node.name}'s`)
  return { name, uid, version, going: Boolean(deletionTimestamp) }
}

/**
 * Deletes it, if it still is the same.
 * @throws KubeError
 */
export async function deleteNodeClaim(api: KubeApi, claim: NodeClaim, signal: AbortSignal): Promise<void> {
  const { name, uid, version } = claim
  const path = `/apis/${group}/${version}/nodeclaims/${encodeURIComponent(name)}`
  await api.request({ method: 'DELETE', path, body: { preconditions: { uid } }, signal })
}

/** By the list of all groups, which says that one is not there; an answer "not found" may come from anybody. */
async function findVersion(api: KubeApi, signal: AbortSignal): Promise<string | undefined> {
  const answer = v.safeParse(groupsShape, await api.request({ method: 'GET', path: '/apis', signal }))
  if (!answer.success) throw new NodeClaimError('BadReply', 'the answer is no list of API groups')
  const found = answer.output.groups.find(({ name }) => name === group)
  if (found === undefined) return undefined
  const served = new Set(found.versions.map(({ version }) => version))
  const version = versions.find(each => served.has(each))
  if (version !== undefined) return version
  throw new NodeClaimError('UnknownVersion', `${group} is served as ${[...served].join(', ')}, not as v1 or v1beta1`)
}

function readClaim(body: unknown, key: string): Claim {
  const result = v.safeParse(claimShape, body)
  if (!result.success) throw new NodeClaimError('BadReply', `${key} in the list of NodeClaims is no NodeClaim`)
  return result.output
}

type Who = Pick<KubeNode, 'name' | 'providerId'>

function isOf({ status }: Claim, { name, providerId }: Who): boolean {
  return status?.nodeName === name || (providerId !== '' && status?.providerID === providerId)
}

/** Also one that does not say yet which node it makes, where the machine does not tell either. */
function canBeOf(claim: Claim, node: Who): boolean {
  const { nodeName, providerID } = claim.status ?? {}
  return isOf(claim, node) || (!nodeName && (!providerID || node.providerId === ''))
}
