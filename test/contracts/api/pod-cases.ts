import { get, patchMerge, patchStrategic, post, refusal, remove } from './requests.ts'
import { type ContractCase, textAt } from './step.ts'

const pods = '/api/v1/namespaces/default/pods'

function pod(name: string, nodeName: string, annotations: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations },
    spec: { nodeName, containers: [{ name: 'main', image: 'example.invalid/none' }] },
  }
}

/** Pods as the node's agent and kactus look at them. */
export const podCases: readonly ContractCase[] = [
  {
    name: 'a new pod is pending and keeps its annotations as they are',
    steps: id => [
      {
        send: post(pods, pod(id, id, { networks: '[{"name": "green"}]' })),
        code: 201,
        body: {
          metadata: { namespace: 'default', generation: 1, annotations: { networks: '[{"name": "green"}]' } },
          spec: { nodeName: id, serviceAccountName: 'default', terminationGracePeriodSeconds: 30 },
          status: { phase: 'Pending' },
        },
      },
      { send: get(`${pods}/${id}`), code: 200, body: { kind: 'Pod', metadata: { name: id } } },
    ],
  },
  {
    name: 'the pods of one node, in one phase',
    steps: id => [
      { send: post(pods, pod(`${id}-a`, id)), code: 201 },
      { send: post(pods, pod(`${id}-b`, id)), code: 201 },
      { send: post(pods, pod(`${id}-c`, `${id}-other`)), code: 201 },
      {
        send: patchStrategic(`${pods}/${id}-b/status`, { status: { phase: 'Running', podIP: '10.1.2.3' } }),
        code: 200,
        body: { status: { phase: 'Running', podIP: '10.1.2.3', podIPs: [{ ip: '10.1.2.3' }] } },
      },
      {
        send: get(`/api/v1/pods?fieldSelector=spec.nodeName%3D${id}`),
        code: 200,
        body: { kind: 'PodList', items: [{ metadata: { name: `${id}-a` } }, { metadata: { name: `${id}-b` } }] },
        absent: ['items.2'],
      },
      {
        send: get(`/api/v1/pods?fieldSelector=spec.nodeName%3D${id},status.phase%3DRunning`),
        code: 200,
        body: { items: [{ metadata: { name: `${id}-b` } }] },
        absent: ['items.1'],
      },
      {
        send: get(`${pods}?fieldSelector=spec.nodeName%3D${id},status.phase!%3DRunning`),
        code: 200,
        body: { items: [{ metadata: { name: `${id}-a` } }] },
        absent: ['items.1'],
      },
    ],
  },
  {
    name: 'annotations of a running pod can be patched',
    steps: id => [
      { send: post(pods, pod(id, id)), code: 201 },
      {
        send: patchMerge(`${pods}/${id}`, { metadata: { annotations: { 'k8s.v1.cni.cncf.io/network-status': '[]' } } }),
        code: 200,
        body: { metadata: { annotations: { 'k8s.v1.cni.cncf.io/network-status': '[]' }, generation: 1 } },
      },
    ],
  },
  {
    name: 'a pod on a node is deleted in two steps',
    steps: id => [
      { send: post(pods, pod(id, id)), code: 201 },
      {
        send: remove(`${pods}/${id}`),
        code: 200,
        body: { kind: 'Pod', metadata: { deletionTimestamp: String, deletionGracePeriodSeconds: 30, generation: 2 } },
      },
      { send: get(`${pods}/${id}`), code: 200, body: { metadata: { deletionTimestamp: String } } },
      { send: remove(`${pods}/${id}`, { gracePeriodSeconds: 0 }), code: 200, body: { kind: 'Pod' } },
      { send: get(`${pods}/${id}`), code: 404, body: refusal(404, 'NotFound', `pods "${id}" not found`) },
    ],
  },
  {
    name: 'without grace, said in the query',
    steps: id => [
      { send: post(pods, pod(id, id)), code: 201 },
      { send: remove(`${pods}/${id}?gracePeriodSeconds=0`), code: 200, body: { kind: 'Pod' } },
      { send: get(`${pods}/${id}`), code: 404 },
    ],
  },
  {
    name: 'without grace, and with the UID it must have',
    steps: id => [
      { send: post(pods, pod(id, id)), code: 201 },
      { send: remove(`${pods}/${id}`, { gracePeriodSeconds: 0, preconditions: { uid: 'other' } }), code: 409 },
      {
        send: ([made]) =>
          remove(`${pods}/${id}`, { gracePeriodSeconds: 0, preconditions: { uid: textAt(made, 'metadata.uid') } }),
        code: 200,
      },
      { send: get(`${pods}/${id}`), code: 404 },
    ],
  },
]
