import type { ApiRequest } from '../../cluster/api-server.ts'
import { get, nodeNetworks, nodes, patchJson, patchMerge, patchStrategic, post, put, remove } from '../api/requests.ts'
import { conditionOf, foreignTaint, other, otherEffect, own, ownTaint } from './bed.ts'
import type { Refusal } from './refusal.ts'

const foreign = 'this is the agent of node n1, which may change that one alone'
const noDeletes = 'an agent has no business with DELETE of'
const its = `${nodes}/${own}`
const itsStatus = `${its}/status`
const theirs = `${nodes}/${other}`

const verified = { metadata: { labels: { 'node-ready/verified': 'true' } } }
const condition = { status: { conditions: [conditionOf('nopal.io/NetworkReady', 'True')] } }
const owner = { apiVersion: 'v1', kind: 'Node', name: other, uid: '00000000-0000-0000-0000-000000000000' }
const untaint = [{ op: 'remove', path: '/spec/taints' }]

function node(name: string, more: object = {}): object {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name }, ...more }
}

function network(name: string): object {
  return { apiVersion: 'nopal.io/v1alpha1', kind: 'NodeNetwork', metadata: { name } }
}

function apply(path: string, body: object): ApiRequest {
  const contentType = 'application/apply-patch+yaml'
  return { method: 'PATCH', path: `${path}?fieldManager=thief&force=true`, body, contentType }
}

/** All there is to do to a node that is not one's own, be it what an agent may do to its own. */
export const foreignNodeRefusals: readonly Refusal[] = [
  ['patch nodes', 'label it, strategic', patchStrategic(theirs, verified), foreign],
  ['patch nodes', 'label it, merge', patchMerge(theirs, verified), foreign],
  ['patch nodes', 'label it, apply', apply(theirs, node(other, { ...verified })), foreign],
  ['patch nodes', 'take its taints off', patchJson(theirs, untaint), foreign],
  ['patch nodes', 'cordon it', patchMerge(theirs, { spec: { unschedulable: true } }), foreign],
  ['update nodes', 'put it anew', put(theirs, {}), foreign],
  ['patch nodes/status', 'say it is verified', patchStrategic(`${theirs}/status`, condition), foreign],
  ['patch nodes/status', 'label it by its status', patchMerge(`${theirs}/status`, verified), foreign],
  ['update nodes/status', 'put its status anew', put(`${theirs}/status`, condition), foreign],
  ['delete nodes', 'delete it', remove(theirs), `${noDeletes} nodes`],
  ['create nodes', 'make one more', post(nodes, node('n3')), 'an agent has no business with CREATE of nodes'],
  ['deletecollection nodes', 'delete all', remove(nodes), `${noDeletes} nodes`],
  ['get nodes/proxy', 'through kubelet', get(`${its}/proxy/`), 'an agent has no business with CONNECT of nodes/proxy'],

  ['create nodenetworks', 'a network of theirs', post(nodeNetworks, network('n3')), foreign],
  ['patch nodenetworks', 'their spec', patchMerge(`${nodeNetworks}/${other}`, { spec: { endpoint: 'x' } }), foreign],
  ['update nodenetworks', 'their network anew', put(`${nodeNetworks}/${other}`, { spec: {} }), foreign],
  [
    'patch nodenetworks/status',
    'their verdict',
    patchMerge(`${nodeNetworks}/${other}/status`, { status: {} }),
    foreign,
  ],
  ['update nodenetworks/status', 'it anew', put(`${nodeNetworks}/${other}/status`, { status: {} }), foreign],
  ['delete nodenetworks', 'delete theirs', remove(`${nodeNetworks}/${other}`), `${noDeletes} nodenetworks`],
  ['deletecollection nodenetworks', 'delete all', remove(nodeNetworks), `${noDeletes} nodenetworks`],
]

type OwnNodeRow = readonly [name: string, send: ApiRequest, says: string]

const inItsMetadata = (metadata: object) => patchMerge(its, { metadata })
const inItsSpec = (spec: object) => patchMerge(its, { spec })
const inItsStatus = (status: object) => patchMerge(itsStatus, { status })
const removeImage = [{ op: 'remove', path: '/status/images/7' }]
const addTaint = [{ op: 'add', path: '/spec/taints/-', value: { ...foreignTaint, key: 'x' } }]
const changeTaint = [{ op: 'replace', path: '/spec/taints/0/value', value: 'x' }]
const controlPlane = 'node-role.kubernetes.io/control-plane'

const ownNodeRows: readonly OwnNodeRow[] = [
  ['cordon', inItsSpec({ unschedulable: true }), 'spec.unschedulable'],
  ["another's taint off", inItsSpec({ taints: [ownTaint, otherEffect] }), 'spec.taints'],
  ['our taint of another effect off', inItsSpec({ taints: [foreignTaint, ownTaint] }), 'spec.taints'],
  ['every taint off', inItsSpec({ taints: null }), 'spec.taints'],
  ['a taint more', patchJson(its, addTaint), 'spec.taints'],
  ["another's taint changed", patchJson(its, changeTaint), 'spec.taints'],
  ['a label on', inItsMetadata({ labels: { [controlPlane]: '' } }), `metadata.labels.${controlPlane}`],
  ['a label off', inItsMetadata({ labels: { 'example.com/label-1': null } }), 'metadata.labels.example.com/label-1'],
  ['a label changed', inItsMetadata({ labels: { 'example.com/label-2': 'x' } }), 'metadata.labels.example.com/label-2'],
  ['an annotation', inItsMetadata({ annotations: { a: 'b' } }), 'metadata.annotations'],
  ['an owner', inItsMetadata({ ownerReferences: [owner] }), 'metadata.ownerReferences'],
  ['its addresses', inItsStatus({ addresses: [{ type: 'InternalIP', address: '192.0.2.66' }] }), 'status.addresses'],
  [
    'Ready',
    patchStrategic(itsStatus, { status: { conditions: [conditionOf('Ready', 'False')] } }),
    'status.conditions',
  ],
  ['no conditions', inItsStatus({ conditions: null }), 'status.conditions'],
  [
    'a condition more',
    patchStrategic(itsStatus, { status: { conditions: [conditionOf('X', 'True')] } }),
    'status.conditions',
  ],
  ['its capacity', inItsStatus({ capacity: { cpu: '200' } }), 'status.capacity'],
  ['an image off', patchJson(itsStatus, removeImage), 'status.images'],
  ['a volume in use', inItsStatus({ volumesInUse: ['v'] }), 'status.volumesInUse'],
  [
    'kubelet at another port',
    inItsStatus({ daemonEndpoints: { kubeletEndpoint: { Port: 1 } } }),
    'status.daemonEndpoints',
  ],
  ['a label by the status', patchMerge(itsStatus, { metadata: { labels: { x: 'y' } } }), 'metadata.labels.x'],
  [
    'an annotation by the status',
    patchMerge(itsStatus, { metadata: { annotations: { a: 'b' } } }),
    'metadata.annotations',
  ],
]

/** What is not ours of one's own node. */
export const ownNodeRefusals: readonly Refusal[] = [
  ...ownNodeRows.map(([name, send, path]): Refusal => {
    const right = send.path.endsWith('/status') ? 'patch nodes/status' : 'patch nodes'
    return [right, `of its own: ${name}`, send, `NetworkReady alone, not ${path}`]
  }),
  ['patch nodes', 'a finalizer', inItsMetadata({ finalizers: ['x.example/y'] }), 'an agent adds no finalizers'],
  ['delete nodes', 'delete its own', remove(its), `${noDeletes} nodes`],
]
