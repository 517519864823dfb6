import t from 'tap'
import { parseWorker } from '../../../../agent/remedy/worker.ts'
import { workerLimitMs, workerName, workerPod } from '../../../../agent/remedy/worker-pod.ts'
import { settingsOf } from '../config/settings-of.ts'
import { nodeNamed } from './samples.ts'

const longest = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`
const names = [
  'n1',
  'ip-10-0-0-1.eu-central-1.compute.internal',
  longest,
  `${'a'.repeat(29)}.b`,
  '1',
  `${'a.'.repeat(40)}a`,
]
const subdomain = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/

t.test('names are host names, whatever the node is called', async t => {
  t.equal(longest.length, 253)
  for (const name of names) {
    const made = workerName({ name, uid: 'a6f1c2' }, 123_456_789)
    t.match(made, subdomain)
    t.ok(made.length <= 63, made)
  }
})

t.test('names differ by Node and attempt, and by nothing else', async t => {
  const node = { name: longest, uid: 'u1' }
  t.equal(workerName(node, 1), workerName(node, 1))
  t.not(workerName(node, 1), workerName(node, 2))
  t.not(workerName(node, 1), workerName({ ...node, uid: 'u2' }, 1))
})

const settings = settingsOf({
  POD_NAMESPACE: 'nopal',
  DNS_TEST_DOMAINS: 'example.com,8.8.8.8,a.example',
  NOPAL_VERIFY_TCP: '[2001:db8::1]:443,b.example:80',
  CHECK_TIMEOUT: '3s',
  INITIAL_TIMEOUT: '90s',
  NOPAL_AGENT_LISTEN: ':9090',
})
const template = { namespace: 'nopal-workers', image: 'registry.example/nopal:1', settings }

t.test('the pod', async t => {
  const pod = workerPod(nodeNamed(longest), { attempt: 3, failures: 2 }, template)
  t.match(pod, {
    metadata: {
      namespace: 'nopal-workers',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: longest, uid: `uid-${longest}` }],
    },
    spec: {
      nodeName: longest,
      tolerations: [{ operator: 'Exists' }],
      restartPolicy: 'Never',
      activeDeadlineSeconds: 150,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'verify',
          image: 'registry.example/nopal:1',
          args: ['verify', '--from', 'worker', '--output', 'text'],
          securityContext: {
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    },
  })
  t.notMatch(JSON.stringify(pod), /hostNetwork|hostPath|"volumes"/)
  t.match(
    parseWorker({ ...pod, metadata: { ...Object(pod).metadata, uid: 'p', creationTimestamp: '2026-01-01T00:00:00Z' } }),
    {
      nodeName: longest,
      attempt: 3,
      failures: 2,
      state: 'waiting',
    },
  )
})

t.test('it is verified as the leader is told to', async t => {
  const [{ env }] = Object(workerPod(nodeNamed('n1'), { attempt: 1, failures: 0 }, template)).spec.containers
  const given = Object.fromEntries(env.map(({ name, value }: { name: string; value: string }) => [name, value]))
  const { agent, podNamespace, nodeName, verify } = settingsOf(given)
  t.strictSame({ ...verify, from: settings.verify.from }, settings.verify)
  t.strictSame([agent.listen, podNamespace, nodeName], [settings.agent.listen, 'nopal', 'n1'])
})

t.test(
  'kubelet ends it after it would have said that it cannot finish, the leader gives it up after kubelet',
  async t => {
    const { spec } = Object(workerPod(nodeNamed('n1'), { attempt: 1, failures: 0 }, template))
    t.ok(spec.activeDeadlineSeconds * 1000 > settings.verify.initialTimeoutMs)
    t.ok(workerLimitMs(settings) > spec.activeDeadlineSeconds * 1000)
  },
)
