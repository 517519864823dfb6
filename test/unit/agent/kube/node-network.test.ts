import t from 'tap'
import { parseNodeNetwork } from '../../../../agent/kube/node-network.ts'
import { randomInput, tryMany } from '../../cni/random-input.ts'

const whole = {
  metadata: {
    name: 'n2',
    creationTimestamp: '2026-01-02T03:04:05Z',
    uid: 'u',
    resourceVersion: '7',
    ownerReferences: [{ kind: 'Node', uid: 'n' }],
  },
  spec: {
    devices: [{ name: 'wg0', publicKey: 'key', listenPort: 51821 }],
    endpoint: '203.0.113.2',
    podCIDRs: ['10.42.2.0/24'],
    podAddresses: ['10.42.2.9'],
  },
  status: {
    verdict: 'Ready',
    reason: 'Verified',
    peers: { expected: 2 },
    missingAllowedIPs: ['10.42.3.0/24'],
    egress: { peers: 2, routed: 1 },
  },
}

t.test('what an agent publishes', async t => {
  t.strictSame(parseNodeNetwork(whole), {
    name: 'n2',
    uid: 'u',
    resourceVersion: '7',
    owner: 'n',
    createdMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    spec: whole.spec,
    status: { ...whole.status, observedMs: 0 },
  })
})

t.test('little or nothing', async t => {
  const spec = { devices: [], endpoint: undefined, podCIDRs: [], podAddresses: [] }
  const bare = { uid: '', resourceVersion: '', owner: undefined, createdMs: 0, spec, status: undefined }
  t.strictSame(parseNodeNetwork({ metadata: { name: 'n2' } }), { name: 'n2', ...bare })
  t.strictSame(parseNodeNetwork({ metadata: { name: 'n2' }, spec: null, status: null }), { name: 'n2', ...bare })
  t.match(parseNodeNetwork({ ...whole, status: { verdict: 'Splendid' } }), {
    status: { verdict: 'Unknown', reason: '' },
  })
  t.match(parseNodeNetwork({ ...whole, status: { egress: 'all' } }), { status: { egress: undefined } })
  for (const junk of [undefined, null, 7, [], {}, { metadata: {} }, { ...whole, spec: { devices: 'wg0' } }])
    t.equal(parseNodeNetwork(junk), undefined)
})

t.test('random objects', async t => {
  const input = randomInput(14)
  const make = () => ({ metadata: { name: input.text(['a', ''], 2) }, spec: input.json(), status: input.json() })
  t.strictSame(tryMany(3000, make, parseNodeNetwork, () => false).surprises, [])
})
