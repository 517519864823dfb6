import t from 'tap'
import { type KubeApi, KubeError, type KubeErrorCode, type KubeRequest } from '../../../../agent/kube/api.ts'
import { findNodeClaim } from '../../../../agent/remedy/node-claims.ts'
import { handOut } from '../kube/hand-out.ts'

const node = { name: 'n1', providerId: 'cloud://1' }
const { signal } = new AbortController()

/** A NodeClaim as the API lists it. */
const claim = (name: string, status?: object | null, metadata: object = {}) => ({
  metadata: { name, uid: `uid-${name}`, ...metadata },
  ...(status === undefined ? {} : { status }),
})
const ofNode = claim('mine', { nodeName: 'n1', providerID: 'cloud://1' })
const ofOther = claim('other', { nodeName: 'n2', providerID: 'cloud://2' })

interface Case {
  readonly name: string
  /** Versions of karpenter.sh; absent = no such group. */
  readonly versions?: readonly string[]
  readonly groups?: unknown
  readonly claims?: readonly unknown[] | KubeErrorCode
  readonly node?: typeof node
  /** A claim's name, 'none', or the code of the error: whoever gets one deletes nothing. */
  readonly want: string
}

const v1 = ['v1']
const cases: readonly Case[] = [
  { name: 'the group is absent: certainly none', want: 'none' },
  { name: 'groups are refused', groups: 'Forbidden', want: 'Forbidden' },
  { name: 'groups are not found, whoever says so', groups: 'NotFound', want: 'NotFound' },
  { name: 'groups do not come in time', groups: 'TimedOut', want: 'TimedOut' },
  { name: 'groups are none', groups: {}, want: 'BadReply' },
  { name: 'groups are of another kind', groups: { kind: 'APIGroup', groups: [] }, want: 'BadReply' },
  { name: 'groups are a page of a proxy', groups: 'hello', want: 'BadReply' },
  { name: 'v1 alone', versions: v1, claims: [ofOther, ofNode], want: 'mine v1' },
  { name: 'v1beta1 alone', versions: ['v1beta1'], claims: [ofNode], want: 'mine v1beta1' },
  { name: 'both: v1', versions: ['v1beta1', 'v1'], claims: [ofNode], want: 'mine v1' },
  { name: 'versions of before and after', versions: ['v1alpha5', 'v2'], claims: [], want: 'UnknownVersion' },
  { name: 'the list is refused', versions: v1, claims: 'Forbidden', want: 'Forbidden' },
  { name: 'the list is not found', versions: v1, claims: 'NotFound', want: 'NotFound' },
  { name: 'the list does not come in time', versions: v1, claims: 'TimedOut', want: 'TimedOut' },
  { name: 'the list breaks off', versions: v1, claims: 'BadReply', want: 'BadReply' },
  { name: 'the list is forgotten before its end', versions: v1, claims: 'Gone', want: 'Gone' },
  { name: 'the server has an error', versions: v1, claims: 'ServerError', want: 'ServerError' },
  { name: 'an empty list: certainly none', versions: v1, claims: [], want: 'none' },
  { name: 'claims of others: certainly none', versions: v1, claims: [ofOther], want: 'none' },
  { name: 'by name alone', versions: v1, claims: [claim('mine', { nodeName: 'n1' })], want: 'mine v1' },
  { name: 'by machine alone', versions: v1, claims: [claim('mine', { providerID: 'cloud://1' })], want: 'mine v1' },
  {
    name: 'by name, another machine: it is still its claim',
    versions: v1,
    claims: [claim('mine', { nodeName: 'n1', providerID: 'cloud://9' })],
    want: 'mine v1',
  },
  { name: 'two', versions: v1, claims: [ofNode, claim('twin', { nodeName: 'n1' })], want: 'SeveralNodeClaims' },
  {
    name: 'one by name, one by machine',
    versions: v1,
    claims: [claim('a', { nodeName: 'n1' }), claim('b', { nodeName: 'n2', providerID: 'cloud://1' })],
    want: 'SeveralNodeClaims',
  },
  { name: 'one that has no machine yet', versions: v1, claims: [claim('new', {})], want: 'UnsettledNodeClaim' },
  { name: 'one without a status', versions: v1, claims: [claim('new')], want: 'UnsettledNodeClaim' },
  { name: 'one with a null status', versions: v1, claims: [claim('new', null)], want: 'UnsettledNodeClaim' },
  {
    name: 'its own and one that has no machine yet',
    versions: v1,
    claims: [ofNode, claim('new')],
    want: 'SeveralNodeClaims',
  },
  {
    name: 'one of another machine that has no node yet',
    versions: v1,
    claims: [claim('new', { providerID: 'cloud://7' })],
    want: 'none',
  },
  {
    name: 'the same, and the node does not say which machine it is',
    versions: v1,
    claims: [claim('new', { providerID: 'cloud://7' })],
    node: { ...node, providerId: '' },
    want: 'UnsettledNodeClaim',
  },
  {
    name: 'a node and a claim that say nothing are not the same machine',
    versions: v1,
    claims: [claim('other', { nodeName: 'n2', providerID: '' })],
    node: { ...node, providerId: '' },
    want: 'none',
  },
  { name: 'one that is none', versions: v1, claims: [{ metadata: { name: 'x' } }], want: 'BadReply' },
  { name: 'one whose status is none', versions: v1, claims: [claim('x', { nodeName: 7 })], want: 'BadReply' },
  {
    name: 'one that is being deleted',
    versions: v1,
    claims: [claim('mine', { nodeName: 'n1' }, { deletionTimestamp: '2026-01-01T00:00:00Z' })],
    want: 'mine v1 going',
  },
]

function apiOf({ versions, groups, claims = [] }: Case): KubeApi {
  const others = [{ name: 'apps', versions: [{ version: 'v1' }] }]
  const ours =
    versions === undefined ? [] : [{ name: 'karpenter.sh', versions: versions.map(version => ({ version })) }]
  return {
    server: 'https://192.0.2.1',
    async request(request: KubeRequest) {
      const isGroups = request.path === '/apis'
      const answer = isGroups ? (groups ?? { kind: 'APIGroupList', groups: [...others, ...ours] }) : claims
      if (typeof answer === 'string' && answer !== 'hello') throw new KubeError(answer as KubeErrorCode, 'because')
      return isGroups ? answer : handOut(request, { metadata: { resourceVersion: '1' }, items: answer })
    },
  }
}

for (const row of cases) {
  t.test(row.name, async t => {
    const found = findNodeClaim(apiOf(row), row.node ?? node, signal).then(
      claim =>
        claim === undefined ? 'none' : [claim.name, claim.version, ...(claim.going ? ['going'] : [])].join(' '),
      error => error.code,
    )
    t.equal(await found, row.want)
  })
}
