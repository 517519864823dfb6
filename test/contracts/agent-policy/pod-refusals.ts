import { patchJson, patchMerge, post, put, remove } from '../api/requests.ts'
import { other, own, podObject, pods } from './bed.ts'
import type { Refusal } from './refusal.ts'

const foreign = 'this is the agent of node n1, which may change pods of that one alone'
const statusAlone = 'of a pod an agent may change annotation k8s.v1.cni.cncf.io/network-status alone, not '
const its = `${pods}/${own}/status`
const theirs = `${pods}/${other}/status`
const told = { metadata: { annotations: { 'k8s.v1.cni.cncf.io/network-status': '[]' } } }
const annotated = { metadata: { annotations: { networks: '[{"name":"secret"}]' } } }
const labelled = { metadata: { labels: { app: 'b' } } }
const condition = { type: 'Ready', status: 'False' }
const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: own } }

/** All there is to do to pods that is none of the agents' business. */
export const podRefusals: readonly Refusal[] = [
  ['patch pods/status', "another node's pod", patchMerge(theirs, told), foreign],
  ['update pods/status', 'it anew', put(theirs, {}), foreign],
  ['patch pods/status', 'other networks', patchMerge(its, annotated), `${statusAlone}metadata.annotations.networks`],
  ['patch pods/status', 'a label', patchMerge(its, labelled), `${statusAlone}metadata.labels`],
  ['patch pods/status', 'its phase', patchMerge(its, { status: { phase: 'Failed' } }), `${statusAlone}status`],
  [
    'patch pods/status',
    'a condition',
    patchJson(its, [{ op: 'add', path: '/status/conditions', value: [condition] }]),
    `${statusAlone}status`,
  ],
  ['patch pods/status', 'its address', patchMerge(its, { status: { podIP: '192.0.2.6' } }), `${statusAlone}status`],
  [
    'patch pods',
    'the status annotation by the pod',
    patchMerge(`${pods}/${own}`, told),
    'an agent has no business with UPDATE of pods',
  ],
  ['create pods', 'one more', post(pods, podObject('x')), 'an agent has no business with CREATE of pods'],
  [
    'create pods/eviction',
    'evict one',
    post(`${pods}/${own}/eviction`, eviction),
    'an agent has no business with CREATE of pods/eviction',
  ],
  ['delete pods', 'delete one', remove(`${pods}/${own}`), 'an agent has no business with DELETE of pods'],
]
