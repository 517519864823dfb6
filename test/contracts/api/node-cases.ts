import { get, node, nodes, patchJson, patchMerge, patchRejected, post, put, refusal, remove } from './requests.ts'
import { type ContractCase, textAt } from './step.ts'

const mine = { key: 'node-ready/unverified', value: 'true', effect: 'NoSchedule' }
const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }
const test = (value: unknown) => ({ op: 'test', path: '/spec/taints', value })
const set = (value: unknown) => ({ op: 'add', path: '/spec/taints', value })
const clear = { op: 'remove', path: '/spec/taints' }
const label = { op: 'add', path: '/metadata/labels/node-ready~1verified', value: 'true' }

/** Nodes, and above all their taints under a JSON Patch. */
export const nodeCases: readonly ContractCase[] = [
  {
    name: 'a new node has an identity and the not-ready taint',
    steps: id => [
      {
        send: post(nodes, node(id, { labels: { a: 'b' }, spec: { taints: [mine] } })),
        code: 201,
        body: {
          kind: 'Node',
          apiVersion: 'v1',
          metadata: {
            name: id,
            uid: /^[0-9a-f-]{36}$/,
            resourceVersion: /^\d+$/,
            creationTimestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
            labels: { a: 'b' },
          },
          spec: { taints: [mine, notReady] },
        },
        absent: ['metadata.generation', 'metadata.namespace'],
      },
      {
        send: get(`${nodes}/${id}`),
        code: 200,
        body: { metadata: { name: id } },
        also: (t, body, [made]) => t.same(body, made?.body, 'a get shows what the create answered'),
      },
      { send: get(`${nodes}/${id}?resourceVersion=0`), code: 200, body: { metadata: { name: id } } },
    ],
  },
  {
    name: 'JSON Patch: taint away and label on in one write',
    steps: id => [
      { send: post(nodes, node(id, { labels: { a: 'b' }, spec: { taints: [mine] } })), code: 201 },
      {
        send: patchJson(`${nodes}/${id}`, [test([mine, notReady]), set([notReady]), label]),
        code: 200,
        body: { metadata: { labels: { a: 'b', 'node-ready/verified': 'true' } }, spec: { taints: [notReady] } },
        also: (t, body, [made]) => {
          t.not(
            textAt({ code: 200, headers: {}, body }, 'metadata.resourceVersion'),
            textAt(made, 'metadata.resourceVersion'),
          )
        },
      },
    ],
  },
  {
    name: 'JSON Patch: a test that does not hold changes nothing',
    steps: id => [
      { send: post(nodes, node(id, { labels: { a: 'b' }, spec: { taints: [mine] } })), code: 201 },
      {
        send: patchJson(`${nodes}/${id}`, [label, test([mine]), set([])]),
        code: 422,
        body: { ...patchRejected, details: {} },
      },
      { send: patchJson(`${nodes}/${id}`, [test(null), set([])]), code: 422, body: patchRejected },
      { send: patchJson(`${nodes}/${id}`, [test([])]), code: 422, body: patchRejected },
      {
        send: get(`${nodes}/${id}`),
        code: 200,
        also: (t, body, [made]) => t.same(body, made?.body, 'the node is as it was'),
      },
    ],
  },
  {
    name: 'JSON Patch: a list of taints that is not there equals null',
    steps: id => [
      { send: post(nodes, node(id)), code: 201 },
      { send: patchJson(`${nodes}/${id}`, [clear]), code: 200, absent: ['spec.taints'] },
      { send: patchJson(`${nodes}/${id}`, [clear]), code: 422, body: patchRejected },
      { send: patchJson(`${nodes}/${id}`, [test([])]), code: 422, body: patchRejected },
      { send: patchJson(`${nodes}/${id}`, [test(null), set([mine])]), code: 200, body: { spec: { taints: [mine] } } },
      { send: patchJson(`${nodes}/${id}`, [test([mine]), set([])]), code: 200, absent: ['spec.taints'] },
      { send: patchJson(`${nodes}/${id}`, [test(null), set(null)]), code: 200, absent: ['spec.taints'] },
    ],
  },
  {
    name: 'JSON Patch: the place in a list',
    steps: id => [
      { send: post(nodes, node(id, { spec: { taints: [mine] } })), code: 201 },
      {
        send: patchJson(`${nodes}/${id}`, [
          { op: 'test', path: '/spec/taints/1/key', value: notReady.key },
          { op: 'remove', path: '/spec/taints/1' },
        ]),
        code: 200,
        body: { spec: { taints: [mine] } },
      },
      {
        send: patchJson(`${nodes}/${id}`, [{ op: 'add', path: '/spec/taints/0', value: notReady }]),
        code: 200,
        body: { spec: { taints: [notReady, mine] } },
      },
      { send: patchJson(`${nodes}/${id}`, [{ op: 'remove', path: '/spec/taints/2' }]), code: 422, body: patchRejected },
      {
        send: patchJson(`${nodes}/${id}`, [
          { op: 'add', path: '/spec/taints/-', value: { key: 'k', effect: 'NoExecute' } },
        ]),
        code: 200,
        body: { spec: { taints: [notReady, mine, { key: 'k', effect: 'NoExecute' }] } },
      },
      {
        send: patchJson(`${nodes}/${id}`, [{ op: 'replace', path: '/spec/taints/2/effect', value: 'NoSchedule' }]),
        code: 200,
        body: { spec: { taints: [notReady, mine, { key: 'k', effect: 'NoSchedule' }] } },
      },
    ],
  },
  {
    name: 'JSON Patch: copy, move, replace',
    steps: id => [
      { send: post(nodes, node(id, { labels: { a: 'b' } })), code: 201 },
      {
        send: patchJson(`${nodes}/${id}`, [{ op: 'copy', from: '/metadata/labels/a', path: '/metadata/labels/c' }]),
        code: 200,
        body: { metadata: { labels: { a: 'b', c: 'b' } } },
      },
      {
        send: patchJson(`${nodes}/${id}`, [{ op: 'move', from: '/metadata/labels/a', path: '/metadata/labels/d' }]),
        code: 200,
        body: { metadata: { labels: { c: 'b', d: 'b' } } },
        absent: ['metadata.labels.a'],
      },
      {
        send: patchJson(`${nodes}/${id}`, [{ op: 'replace', path: '/metadata/labels/new', value: 'x' }]),
        code: 200,
        body: { metadata: { labels: { new: 'x' } } },
      },
    ],
  },
  {
    name: 'JSON Patch: operations that cannot be done',
    steps: id => [
      { send: post(nodes, node(id)), code: 201 },
      ...[
        [{ op: 'remove', path: '/spec/none' }],
        [{ op: 'add', path: '/spec/none/below', value: 1 }],
        [{ op: 'test', path: '/spec/none/below', value: 1 }],
        [{ op: 'nonsense', path: '/spec/none', value: 1 }],
        [{ op: 'move', from: '/metadata/none', path: '/metadata/labels' }],
        [label],
      ].map(patch => ({ send: patchJson(`${nodes}/${id}`, patch), code: 422, body: patchRejected })),
      {
        send: patchJson(`${nodes}/${id}`, { op: 'test' }),
        code: 400,
        body: refusal(400, 'BadRequest', 'error decoding patch'),
      },
      {
        send: patchJson(`${nodes}/${id}`, '{bad'),
        code: 400,
        body: refusal(400, 'BadRequest', 'error decoding patch'),
      },
    ],
  },
  {
    name: 'merge patch: null removes, the list of taints is replaced',
    steps: id => [
      { send: post(nodes, node(id, { labels: { a: 'b', c: 'd' } })), code: 201 },
      {
        send: patchMerge(`${nodes}/${id}`, { metadata: { labels: { a: null, e: 'f' } }, spec: { taints: [mine] } }),
        code: 200,
        body: { metadata: { labels: { c: 'd', e: 'f' } }, spec: { taints: [mine] } },
        absent: ['metadata.labels.a', 'spec.taints.1'],
      },
      { send: patchMerge(`${nodes}/${id}`, '{bad'), code: 400, body: { reason: 'BadRequest' } },
    ],
  },
  {
    name: 'taints that are refused',
    steps: id => [
      { send: post(nodes, node(id)), code: 201 },
      {
        send: patchMerge(`${nodes}/${id}`, { spec: { taints: [{ key: 'k' }] } }),
        code: 422,
        body: refusal(422, 'Invalid', `Node "${id}" is invalid: metadata.taints[0].effect: Required value`),
      },
      {
        send: patchMerge(`${nodes}/${id}`, { spec: { taints: [{ key: 'k', effect: 'Nonsense' }] } }),
        code: 422,
        body: refusal(422, 'Invalid', 'metadata.taints[0].effect: Unsupported value: "Nonsense"'),
      },
      { send: patchMerge(`${nodes}/${id}`, { spec: { taints: [mine, { ...mine, value: 'x' }] } }), code: 422 },
    ],
  },
  {
    name: 'a write that changes nothing keeps the version',
    steps: id => [
      { send: post(nodes, node(id, { labels: { a: 'b' } })), code: 201 },
      {
        send: patchMerge(`${nodes}/${id}`, { metadata: { labels: { a: 'b' } } }),
        code: 200,
        also: (t, body, [made]) =>
          t.match(body, { metadata: { resourceVersion: textAt(made, 'metadata.resourceVersion') } }),
      },
    ],
  },
  {
    name: 'the body cannot rename, and the name comes first',
    steps: id => [
      { send: post(nodes, node(id)), code: 201 },
      {
        send: patchMerge(`${nodes}/${id}`, { metadata: { name: 'other' } }),
        code: 400,
        body: refusal(400, 'BadRequest', `the name of the object (other) does not match the name on the URL (${id})`),
      },
      { send: put(`${nodes}/none-${id}`, node(id)), code: 400 },
      { send: put(`${nodes}/none-${id}`, node(`none-${id}`)), code: 404 },
      {
        send: patchMerge(`${nodes}/${id}`, { metadata: { uid: 'other' } }),
        code: 422,
        body: refusal(422, 'Invalid', 'metadata.uid: Invalid value: "other": field is immutable'),
      },
    ],
  },
  {
    name: 'deleted is gone',
    steps: id => [
      { send: post(nodes, node(id)), code: 201 },
      {
        send: remove(`${nodes}/${id}`),
        code: 200,
        body: { kind: 'Status', status: 'Success', details: { name: id, kind: 'nodes', uid: String } },
        absent: ['code'],
      },
      { send: remove(`${nodes}/${id}`), code: 404, body: refusal(404, 'NotFound', `nodes "${id}" not found`) },
    ],
  },
  {
    name: 'a dry run changes nothing',
    steps: id => [
      { send: post(`${nodes}?dryRun=All`, node(id)), code: 201, body: { metadata: { name: id } } },
      { send: get(`${nodes}/${id}`), code: 404 },
      { send: post(nodes, node(id)), code: 201 },
      { send: patchMerge(`${nodes}/${id}?dryRun=All`, { metadata: { labels: { a: 'b' } } }), code: 200 },
      { send: get(`${nodes}/${id}`), code: 200, absent: ['metadata.labels.a'] },
    ],
  },
]
