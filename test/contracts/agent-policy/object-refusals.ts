import type { ApiRequest } from '../../cluster/api-server.ts'
import { newerEvents, patchMerge, post, put, remove } from '../api/requests.ts'
import { accounts, boundTo, eventOf, leaseOf, leases, other, own, podEventOf, tokenRequest } from './bed.ts'
import type { Refusal } from './refusal.ts'

const noDeletes = 'an agent has no business with DELETE of'
const elsewhere = (path: string) => path.replace('/nopal/', '/default/')

const oursAlone = 'of the Leases an agent may write nopal-gate and nopal-heal alone'
const itsOwn = 'an agent takes a Lease for its own node, and gives back none but its own'
const gate = (holder: string) => leaseOf('nopal-gate', holder)
const heal = `${leases}/nopal-heal`

export const leaseRefusals: readonly Refusal[] = [
  ['create leases', 'a name of others', post(leases, leaseOf('kube-scheduler', `${own}_1`)), oursAlone],
  ['create leases', 'the name of the leader', post(leases, leaseOf('nopal-leader', `${own}_1`)), oursAlone],
  ['create leases', 'in another namespace', post(elsewhere(leases), gate(`${own}_1`)), oursAlone],
  ['create leases', "for another's node", post(leases, gate(`${other}_1`)), itsOwn],
  ['create leases', 'for a node whose name begins alike', post(leases, gate('n11_1')), itsOwn],
  ['create leases', 'for nobody', post(leases, gate('')), itsOwn],
  ['update leases', "give back another's", put(heal, { spec: {} }), itsOwn],
  ['patch leases', "give back another's by a patch", patchMerge(heal, { spec: null }), itsOwn],
  ['patch leases', "others' Lease", patchMerge(`${leases}/of-others`, { spec: { holderIdentity: 'n1_1' } }), oursAlone],
  ['delete leases', 'delete one', remove(heal), `${noDeletes} leases`],
  ['deletecollection leases', 'delete all', remove(leases), `${noDeletes} leases`],
]

const ownNodeAlone = "an agent tells, as nopal and as its own node's, of that node and of interfaces of pods alone"
const pod = { kind: 'Pod', name: own, namespace: 'default' }
const series = { series: { count: 2, lastObservedTime: '2026-01-01T00:00:00.000000Z' } }
const toldBy = (who: string) => `${newerEvents}/told-by-${who}`

export const eventRefusals: readonly Refusal[] = [
  ['create events', "of another's node", post(newerEvents, eventOf(other, 'a')), ownNodeAlone],
  ['create events', 'of a pod', post(newerEvents, { ...eventOf(own, 'b'), regarding: pod }), ownNodeAlone],
  ['create events', "of a pod, for another's node", post(newerEvents, podEventOf(other, 'b')), ownNodeAlone],
  [
    'create events',
    'of a pod, as a scheduler',
    post(newerEvents, { ...podEventOf(own, 'b'), reason: 'Killing' }),
    ownNodeAlone,
  ],
  ['create events', 'of nothing', post(newerEvents, { ...eventOf(own, 'b'), regarding: undefined }), ownNodeAlone],
  [
    'create events',
    'as kubelet',
    post(newerEvents, { ...eventOf(own, 'c'), reportingController: 'kubelet' }),
    ownNodeAlone,
  ],
  ['patch events', "another agent's", patchMerge(toldBy(other), series), ownNodeAlone],
  ['patch events', "kubelet's", patchMerge(toldBy('kubelet'), series), ownNodeAlone],
  ['update events', "another agent's anew", put(toldBy(other), {}), ownNodeAlone],
  ['delete events', 'delete its own', remove(toldBy(own)), `${noDeletes} events`],
  ['deletecollection events', 'delete all', remove(newerEvents), `${noDeletes} events`],
]

const kactusAlone = 'an agent may ask for tokens of account nopal/kactus alone'
const boundAlone = "a token for kactus must be bound to the agent's own node"
const hourAtMost = 'a token for kactus lives an hour at most'
const right = 'create serviceaccounts/token'

function token(spec: object, account = 'kactus', folder = accounts): ApiRequest {
  return post(`${folder}/${account}/token`, tokenRequest(spec))
}

export const tokenRefusals: readonly Refusal[] = [
  [right, 'for a day', token({ ...boundTo(own), expirationSeconds: 86_400 }), hourAtMost],
  [right, 'for a second too long', token({ ...boundTo(own), expirationSeconds: 3601 }), hourAtMost],
  [right, 'bound to nothing', token({}), boundAlone],
  [right, "bound to another's node", token(boundTo(other)), boundAlone],
  [right, 'bound to a pod', token(boundTo(own, 'Pod')), boundAlone],
  [right, "of the agents' account", token(boundTo(own), 'nopal'), kactusAlone],
  [right, 'of another namespace', token(boundTo(own), 'default', elsewhere(accounts)), kactusAlone],
]
