import { get, node, nodes, patchJson, patchMerge, patchStrategic, post, put } from './requests.ts'
import type { ContractCase } from './step.ts'

const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady' }
const mine = { type: 'nopal.io/NetworkReady', status: 'True', reason: 'Verified', message: 'all checks passed' }

/** The status of a node, which the kubelet and nopal share. */
export const statusCases: readonly ContractCase[] = [
  {
    name: 'strategic merge: a new condition goes before the others',
    steps: id => [
      { send: post(nodes, node(id, { status: { conditions: [ready] } })), code: 201 },
      {
        send: patchStrategic(`${nodes}/${id}/status`, { status: { conditions: [mine] } }),
        code: 200,
        body: { status: { conditions: [mine, ready] } },
      },
    ],
  },
  {
    name: 'strategic merge: a condition that is there keeps its place and what is not named',
    steps: id => [
      { send: post(nodes, node(id, { status: { conditions: [ready, mine] } })), code: 201 },
      {
        send: patchStrategic(`${nodes}/${id}/status`, {
          status: { conditions: [{ type: mine.type, status: 'False', lastHeartbeatTime: '2026-01-01T00:00:00Z' }] },
        }),
        code: 200,
        body: {
          status: { conditions: [ready, { ...mine, status: 'False', lastHeartbeatTime: '2026-01-01T00:00:00Z' }] },
        },
      },
    ],
  },
  {
    name: 'strategic merge: the order hint of kubectl, and a removal',
    steps: id => [
      { send: post(nodes, node(id, { status: { conditions: [ready, mine] } })), code: 201 },
      {
        send: patchStrategic(`${nodes}/${id}/status`, {
          status: {
            '$setElementOrder/conditions': [{ type: ready.type }, { type: mine.type }],
            conditions: [{ type: mine.type, reason: 'Again' }],
          },
        }),
        code: 200,
        body: { status: { conditions: [ready, { ...mine, reason: 'Again' }] } },
      },
      {
        send: patchStrategic(`${nodes}/${id}/status`, {
          status: { conditions: [{ type: mine.type, $patch: 'delete' }] },
        }),
        code: 200,
        body: { status: { conditions: [ready] } },
        absent: ['status.conditions.1'],
      },
    ],
  },
  {
    name: 'strategic merge: an item without its key is refused',
    steps: id => [
      { send: post(nodes, node(id, { status: { conditions: [ready] } })), code: 201 },
      {
        send: patchStrategic(`${nodes}/${id}/status`, { status: { conditions: [{ status: 'True' }] } }),
        code: 500,
        body: { status: 'Failure', message: 'does not contain declared merge key: type' },
      },
    ],
  },
  {
    name: 'strategic merge: taints are replaced as a whole',
    steps: id => [
      { send: post(nodes, node(id)), code: 201 },
      {
        send: patchStrategic(`${nodes}/${id}`, { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } }),
        code: 200,
        body: { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } },
        absent: ['spec.taints.1'],
      },
    ],
  },
  {
    name: 'times of a condition that nobody told are null',
    steps: id => [
      {
        send: post(nodes, node(id, { status: { conditions: [ready] } })),
        code: 201,
        body: { status: { conditions: [{ ...ready, lastHeartbeatTime: null, lastTransitionTime: null }] } },
      },
    ],
  },
  {
    name: 'merge patch replaces the list of conditions',
    steps: id => [
      { send: post(nodes, node(id, { status: { conditions: [ready] } })), code: 201 },
      {
        send: patchMerge(`${nodes}/${id}/status`, { status: { conditions: [mine] } }),
        code: 200,
        body: { status: { conditions: [mine] } },
        absent: ['status.conditions.1'],
      },
    ],
  },
  {
    name: 'JSON Patch of the status',
    steps: id => [
      { send: post(nodes, node(id, { status: { conditions: [ready] } })), code: 201 },
      {
        send: patchJson(`${nodes}/${id}/status`, [
          { op: 'test', path: '/status/conditions/0/type', value: 'Ready' },
          { op: 'add', path: '/status/conditions/-', value: mine },
        ]),
        code: 200,
        body: { status: { conditions: [ready, mine] } },
      },
    ],
  },
  {
    name: 'the status path writes status and labels, not spec; the other path writes no status',
    steps: id => [
      { send: post(nodes, node(id, { status: { conditions: [ready] } })), code: 201 },
      {
        send: patchMerge(`${nodes}/${id}/status`, { metadata: { labels: { x: 'y' } }, spec: { unschedulable: true } }),
        code: 200,
        body: { metadata: { labels: { x: 'y' } } },
        absent: ['spec.unschedulable'],
      },
      {
        send: patchMerge(`${nodes}/${id}`, { status: { conditions: [mine] } }),
        code: 200,
        body: { status: { conditions: [ready] } },
      },
      { send: get(`${nodes}/${id}/status`), code: 200, body: { status: { conditions: [ready] } } },
    ],
  },
  {
    name: 'PUT of the status',
    steps: id => [
      { send: post(nodes, node(id)), code: 201 },
      {
        send: ([made]) => put(`${nodes}/${id}/status`, { ...(made?.body as object), status: { conditions: [mine] } }),
        code: 200,
        body: { status: { conditions: [mine] } },
      },
      {
        send: ([made]) => put(`${nodes}/${id}/status`, { ...(made?.body as object), status: {} }),
        code: 409,
        body: { reason: 'Conflict' },
      },
    ],
  },
]
