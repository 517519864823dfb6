import { get, networks, nodeNetworks, patchJson, patchMerge, patchRejected, post, put, remove } from './requests.ts'
import { type ContractCase, textAt } from './step.ts'

const attachments = '/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions'

function network(name: string): object {
  return {
    apiVersion: 'kaloom.com/v1',
    kind: 'Network',
    metadata: { name },
    spec: { plugin: 'bridge', config: '{"bridge": "br0", "mtu": 1400}' },
  }
}

function nodeNetwork(name: string): object {
  return {
    apiVersion: 'nopal.io/v1alpha1',
    kind: 'NodeNetwork',
    metadata: { name, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid: 'u' }] },
    spec: { endpoint: '203.0.113.7' },
    status: { verdict: 'Ready' },
  }
}

/** Objects that CustomResourceDefinitions bring. */
export const customCases: readonly ContractCase[] = [
  {
    name: 'a watch of a group that nobody has defined',
    steps: id => [{ send: get(`/apis/${id}.example.com/v1/things?watch=true&sendInitialEvents=true`), code: 404 }],
  },
  {
    name: 'a network: made, read, changed, removed',
    steps: id => [
      {
        send: post(networks, network(id)),
        code: 201,
        body: {
          kind: 'Network',
          apiVersion: 'kaloom.com/v1',
          metadata: { name: id, namespace: 'default', generation: 1, uid: String },
          spec: { plugin: 'bridge', config: '{"bridge": "br0", "mtu": 1400}' },
        },
      },
      { send: get(`${networks}/${id}`), code: 200, body: { metadata: { name: id } } },
      {
        send: patchMerge(`${networks}/${id}`, { spec: { plugin: 'macvlan' } }),
        code: 200,
        body: { metadata: { generation: 2 }, spec: { plugin: 'macvlan', config: '{"bridge": "br0", "mtu": 1400}' } },
      },
      {
        send: patchMerge(`${networks}/${id}`, { metadata: { labels: { a: 'b' } } }),
        code: 200,
        body: { metadata: { generation: 2, labels: { a: 'b' } } },
      },
      {
        send: patchJson(`${networks}/${id}`, [
          { op: 'test', path: '/spec/plugin', value: 'macvlan' },
          { op: 'replace', path: '/spec/plugin', value: 'ptp' },
        ]),
        code: 200,
        body: { spec: { plugin: 'ptp' } },
      },
      {
        send: patchJson(`${networks}/${id}`, [{ op: 'test', path: '/spec/plugin', value: 'macvlan' }]),
        code: 422,
        body: patchRejected,
      },
      {
        send: answers => put(`${networks}/${id}`, answers[4]?.body),
        code: 200,
        body: { spec: { plugin: 'ptp' } },
      },
      {
        send: remove(`${networks}/${id}`),
        code: 200,
        body: { kind: 'Status', status: 'Success', details: { name: id, group: 'kaloom.com', kind: 'networks' } },
      },
      { send: get(`${networks}/${id}`), code: 404 },
    ],
  },
  {
    name: 'items of a custom list say their kind',
    steps: id => [
      { send: post(networks, network(id)), code: 201 },
      {
        send: get(`${networks}?fieldSelector=metadata.name%3D${id}`),
        code: 200,
        body: {
          kind: 'NetworkList',
          apiVersion: 'kaloom.com/v1',
          items: [{ kind: 'Network', apiVersion: 'kaloom.com/v1', metadata: { name: id } }],
        },
      },
    ],
  },
  {
    name: 'a custom object must say what it is',
    steps: id => [{ send: post(networks, { metadata: { name: id } }), code: 400, body: { reason: 'BadRequest' } }],
  },
  {
    name: 'another kind of network object, as Multus has it',
    steps: id => [
      {
        send: post(attachments, {
          apiVersion: 'k8s.cni.cncf.io/v1',
          kind: 'NetworkAttachmentDefinition',
          metadata: { name: id },
          spec: { config: '{}' },
        }),
        code: 201,
      },
      { send: get(`${attachments}/${id}`), code: 200, body: { spec: { config: '{}' } } },
    ],
  },
  {
    name: 'a node network: its status has a path of its own',
    steps: id => [
      { send: post(nodeNetworks, nodeNetwork(id)), code: 201, absent: ['status', 'metadata.namespace'] },
      {
        send: patchMerge(`${nodeNetworks}/${id}/status`, {
          metadata: { labels: { x: 'y' } },
          spec: { endpoint: '203.0.113.8' },
          status: { verdict: 'Ready' },
        }),
        code: 200,
        body: { metadata: { generation: 1 }, spec: { endpoint: '203.0.113.7' }, status: { verdict: 'Ready' } },
        absent: ['metadata.labels'],
      },
      {
        send: patchMerge(`${nodeNetworks}/${id}`, {
          spec: { endpoint: '203.0.113.8' },
          status: { verdict: 'NotReady' },
        }),
        code: 200,
        body: { metadata: { generation: 2 }, spec: { endpoint: '203.0.113.8' }, status: { verdict: 'Ready' } },
      },
      { send: get(`${nodeNetworks}/${id}/status`), code: 200, body: { status: { verdict: 'Ready' } } },
      {
        send: ([made]) => put(`${nodeNetworks}/${id}`, made?.body),
        code: 409,
        body: { reason: 'Conflict' },
      },
      {
        send: answers => ({
          ...patchMerge(`${nodeNetworks}/${id}`, {
            metadata: { resourceVersion: textAt(answers[3], 'metadata.resourceVersion') },
            spec: { endpoint: '203.0.113.9' },
          }),
        }),
        code: 200,
      },
    ],
  },
]
