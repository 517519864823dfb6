import type { ApiAnswer } from '../../cluster/api-server.ts'
import { leases, networks, node, nodes, patchJson, patchMerge, post, put, refusal, remove } from './requests.ts'
import { type ContractCase, textAt } from './step.ts'

const lost = 'the object has been modified; please apply your changes to the latest version and try again'

function withVersion(answer: ApiAnswer | undefined, version: string | undefined): object {
  const body = answer?.body as { metadata: object }
  return { ...body, metadata: { ...body.metadata, resourceVersion: version } }
}

/** Two writers of one object. */
export const conflictCases: readonly ContractCase[] = [
  {
    name: 'a name can be taken once',
    steps: id => [
      { send: post(nodes, node(id)), code: 201 },
      {
        send: post(nodes, node(id)),
        code: 409,
        body: {
          ...refusal(409, 'AlreadyExists', `nodes "${id}" already exists`),
          details: { name: id, kind: 'nodes' },
        },
      },
    ],
  },
  {
    name: 'an update of an old version is refused',
    steps: id => [
      { send: post(nodes, node(id)), code: 201 },
      {
        send: ([made]) => put(`${nodes}/${id}`, withVersion(made, '1')),
        code: 409,
        body: {
          ...refusal(409, 'Conflict', `Operation cannot be fulfilled on nodes "${id}": ${lost}`),
          details: { name: id, kind: 'nodes' },
        },
      },
      { send: ([made]) => put(`${nodes}/${id}`, made?.body), code: 200 },
      // A built-in object may be written without saying over which version.
      { send: ([made]) => put(`${nodes}/${id}`, withVersion(made, undefined)), code: 200 },
    ],
  },
  {
    name: 'a patch that names an old version is refused',
    steps: id => [
      { send: post(nodes, node(id)), code: 201 },
      {
        send: patchMerge(`${nodes}/${id}`, { metadata: { resourceVersion: '1', labels: { a: 'b' } } }),
        code: 409,
        body: refusal(409, 'Conflict', lost),
      },
      {
        send: patchJson(`${nodes}/${id}`, [{ op: 'replace', path: '/metadata/resourceVersion', value: '1' }]),
        code: 409,
        body: refusal(409, 'Conflict', lost),
      },
      {
        send: ([made]) =>
          patchJson(`${nodes}/${id}`, [
            { op: 'test', path: '/metadata/resourceVersion', value: textAt(made, 'metadata.resourceVersion') },
            { op: 'add', path: '/metadata/annotations', value: { a: 'b' } },
          ]),
        code: 200,
        body: { metadata: { annotations: { a: 'b' } } },
      },
      {
        send: ([made]) =>
          patchJson(`${nodes}/${id}`, [
            { op: 'test', path: '/metadata/resourceVersion', value: textAt(made, 'metadata.resourceVersion') },
          ]),
        code: 422,
        body: { reason: 'Invalid' },
      },
    ],
  },
  {
    name: 'a custom object is updated only over a named version',
    steps: id => [
      {
        send: post(networks, {
          apiVersion: 'kaloom.com/v1',
          kind: 'Network',
          metadata: { name: id },
          spec: { plugin: 'bridge', config: '{}' },
        }),
        code: 201,
      },
      {
        send: ([made]) => put(`${networks}/${id}`, withVersion(made, undefined)),
        code: 422,
        body: {
          ...refusal(
            422,
            'Invalid',
            `networks.kaloom.com "${id}" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update`,
          ),
          details: { name: id, group: 'kaloom.com', kind: 'networks' },
        },
      },
      { send: ([made]) => put(`${networks}/${id}`, withVersion(made, '1')), code: 409, body: { reason: 'Conflict' } },
    ],
  },
  {
    name: 'a lease: taken, renewed, lost',
    steps: id => [
      {
        send: post(leases, {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name: id },
          spec: { holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2026-01-01T00:00:00.123456Z' },
        }),
        code: 201,
        body: { spec: { holderIdentity: 'a', renewTime: '2026-01-01T00:00:00.123456Z' } },
        absent: ['metadata.generation'],
      },
      {
        send: ([made]) =>
          put(`${leases}/${id}`, {
            ...(made?.body as object),
            spec: { holderIdentity: 'b', leaseDurationSeconds: 15 },
          }),
        code: 200,
        body: { spec: { holderIdentity: 'b' } },
      },
      {
        send: ([made]) => put(`${leases}/${id}`, { ...(made?.body as object), spec: { holderIdentity: 'c' } }),
        code: 409,
        body: {
          ...refusal(409, 'Conflict', `Operation cannot be fulfilled on leases.coordination.k8s.io "${id}": ${lost}`),
          details: { name: id, group: 'coordination.k8s.io', kind: 'leases' },
        },
      },
      {
        send: ([made]) => put(`${leases}/${id}`, withVersion(made, undefined)),
        code: 422,
        body: refusal(422, 'Invalid', 'metadata.resourceVersion: Invalid value'),
      },
    ],
  },
  {
    name: 'a delete may name what it means',
    steps: id => [
      { send: post(nodes, node(id)), code: 201 },
      {
        send: remove(`${nodes}/${id}`, { preconditions: { uid: 'other' } }),
        code: 409,
        body: {
          ...refusal(
            409,
            'Conflict',
            `Operation cannot be fulfilled on Node "${id}": the UID in the precondition (other) does not match the UID in record`,
          ),
          details: { name: id, kind: 'Node' },
        },
      },
      {
        send: remove(`${nodes}/${id}`, { preconditions: { resourceVersion: '1' } }),
        code: 409,
        body: refusal(409, 'Conflict', 'the ResourceVersion in the precondition (1) does not match'),
      },
      {
        send: ([made]) => remove(`${nodes}/${id}`, { preconditions: { uid: textAt(made, 'metadata.uid') } }),
        code: 200,
        body: { status: 'Success' },
      },
    ],
  },
  {
    name: 'an update of an object that was made anew is refused',
    steps: id => [
      { send: post(nodes, node(id)), code: 201 },
      { send: remove(`${nodes}/${id}`), code: 200 },
      { send: post(nodes, node(id)), code: 201 },
      {
        send: ([made]) => put(`${nodes}/${id}`, withVersion(made, undefined)),
        code: 409,
        body: { reason: 'Conflict' },
      },
    ],
  },
  {
    name: 'an object with a finalizer waits for it',
    steps: id => [
      { send: post(nodes, { ...node(id), metadata: { name: id, finalizers: ['nopal.io/test'] } }), code: 201 },
      {
        send: remove(`${nodes}/${id}`),
        code: 200,
        body: { metadata: { deletionTimestamp: String, finalizers: ['nopal.io/test'] } },
      },
      { send: patchMerge(`${nodes}/${id}`, { metadata: { finalizers: null } }), code: 200 },
      { send: remove(`${nodes}/${id}`), code: 404 },
    ],
  },
]
