import { get, networks, node, nodes, patchMerge, patchStrategic, post, refusal } from './requests.ts'
import type { ContractCase } from './step.ts'

const wrongToken = { authorization: 'Bearer nonsense' }

/** Who may come in, and what is said to requests that lead nowhere. */
export const accessCases: readonly ContractCase[] = [
  {
    name: 'a token that is none is refused everywhere',
    steps: () =>
      ['/api/v1/nodes', '/version', '/readyz', `${networks}/none`].map(path => ({
        send: { ...get(path), headers: wrongToken },
        anonymous: true,
        code: 401,
        body: refusal(401, 'Unauthorized', 'Unauthorized'),
      })),
  },
  {
    name: 'without a token: version and health, nothing else',
    steps: () => [
      { send: get('/version'), anonymous: true, code: 200 },
      { send: get('/readyz'), anonymous: true, code: 200, body: 'ok' },
      {
        send: get('/api/v1/nodes'),
        anonymous: true,
        code: 403,
        body: {
          ...refusal(
            403,
            'Forbidden',
            'nodes is forbidden: User "system:anonymous" cannot list resource "nodes" in API group "" at the cluster scope',
          ),
          details: { kind: 'nodes' },
        },
      },
      {
        send: get(`${networks}/none`),
        anonymous: true,
        code: 403,
        body: {
          message:
            'networks.kaloom.com "none" is forbidden: User "system:anonymous" cannot get resource "networks" in API group "kaloom.com" in the namespace "default"',
          details: { name: 'none', group: 'kaloom.com', kind: 'networks' },
        },
      },
    ],
  },
  {
    name: 'objects that are not there',
    steps: () => [
      {
        send: get(`${nodes}/none`),
        code: 404,
        body: { ...refusal(404, 'NotFound', 'nodes "none" not found'), details: { name: 'none', kind: 'nodes' } },
      },
      {
        send: get(`${networks}/none`),
        code: 404,
        body: {
          ...refusal(404, 'NotFound', 'networks.kaloom.com "none" not found'),
          details: { name: 'none', group: 'kaloom.com', kind: 'networks' },
        },
      },
      { send: patchMerge(`${nodes}/none`, {}), code: 404, body: refusal(404, 'NotFound', 'nodes "none" not found') },
      {
        send: post('/api/v1/namespaces/none/configmaps', { metadata: { name: 'x' } }),
        code: 404,
        body: { ...refusal(404, 'NotFound', 'namespaces "none" not found'), details: { kind: 'namespaces' } },
      },
    ],
  },
  {
    name: 'paths that are not there',
    steps: () => [
      {
        send: get('/api/v1/nonsense'),
        code: 404,
        body: refusal(404, 'NotFound', 'the server could not find the requested resource'),
      },
      { send: get('/apis/kaloom.com/v9/networks'), code: 404, body: '404 page not found' },
      { send: get('/nonsense'), code: 404, body: '404 page not found' },
      { send: post('/api/v1/namespaces/default/nodes', node('x')), code: 404 },
    ],
  },
  {
    name: 'methods and media types that are not taken',
    steps: id => [
      {
        send: post('/api/v1/configmaps', { metadata: { name: id } }),
        code: 405,
        body: refusal(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource'),
      },
      { send: patchMerge(networks, {}), code: 400, body: refusal(400, 'BadRequest', 'name must be provided') },
      {
        send: { ...post(nodes, node(id)), contentType: 'text/plain' },
        code: 415,
        body: refusal(415, 'UnsupportedMediaType', 'the body of the request was in an unknown format'),
      },
      { send: post(nodes, node(id)), code: 201 },
      {
        send: { ...patchMerge(`${nodes}/${id}`, {}), contentType: 'application/json' },
        code: 415,
        body: { ...refusal(415, 'UnsupportedMediaType', '415: Unsupported Media Type'), details: {} },
      },
      { send: { ...get(nodes), headers: { accept: 'text/html' } }, code: 406, body: { reason: 'NotAcceptable' } },
    ],
  },
  {
    name: 'a strategic merge patch of a custom resource is not taken',
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
        send: patchStrategic(`${networks}/${id}`, { spec: { plugin: 'ptp' } }),
        code: 415,
        body: refusal(
          415,
          'UnsupportedMediaType',
          'accepted media types include: application/json-patch+json, application/merge-patch+json',
        ),
      },
    ],
  },
  {
    name: 'bodies that cannot be used',
    steps: id => [
      { send: post(nodes, '{bad'), code: 400, body: refusal(400, 'BadRequest', "couldn't get version/kind") },
      {
        send: post(nodes, { ...node(id), kind: 'Pod' }),
        code: 400,
        body: refusal(400, 'BadRequest', 'Pod in version'),
      },
      {
        send: post(nodes, { metadata: {} }),
        code: 422,
        body: {
          ...refusal(
            422,
            'Invalid',
            'Node "" is invalid: metadata.name: Required value: name or generateName is required',
          ),
          details: { kind: 'Node', causes: [{ reason: 'FieldValueRequired', field: 'metadata.name' }] },
        },
      },
      {
        send: post(nodes, node('Not A Name')),
        code: 422,
        body: {
          ...refusal(422, 'Invalid', 'Node "Not A Name" is invalid: metadata.name: Invalid value: "Not A Name"'),
          details: { name: 'Not A Name', kind: 'Node', causes: [{ reason: 'FieldValueInvalid' }] },
        },
      },
      {
        send: post('/api/v1/namespaces/default/configmaps', { metadata: { name: id, namespace: 'other' } }),
        code: 400,
        body: refusal(400, 'BadRequest', 'the namespace of the provided object does not match'),
      },
    ],
  },
]
