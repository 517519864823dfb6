import { randomBytes } from 'node:crypto'
import t from 'tap'
import { sendRequest } from '../cluster/api-client.ts'
import { startApiServer } from '../cluster/api-server.ts'
import { grantsOf } from '../e2e/rights.ts'
import { until } from '../machine/wait.ts'
import { readObjects } from '../unit/daemonset/manifests.ts'
import {
  conditionOf,
  grantEverything,
  kubeletOf,
  must,
  other,
  own,
  prepare,
  readAll,
  untilInForce,
  whole,
} from './agent-policy/bed.ts'
import { foreignNodeRefusals, ownNodeRefusals } from './agent-policy/node-refusals.ts'
import { eventRefusals, leaseRefusals, tokenRefusals } from './agent-policy/object-refusals.ts'
import { podRefusals } from './agent-policy/pod-refusals.ts'
import { agentClient, checkEvents, checkLease, checkMarks, checkPods, checkToken } from './agent-policy/work.ts'
import { nodes, patchJson, patchMerge, patchStrategic } from './api/requests.ts'

// Only the real server runs admission policies.
const api = await startApiServer({ kind: 'real', run: `policy-${randomBytes(3).toString('hex')}` })
t.teardown(() => api.stop())
await prepare(api)
const thief = await api.targetFor('nopal', 'nopal', own)
await untilInForce(thief)

await t.test('what an agent does goes through, with a token of a pod on its node', async t => {
  const kube = agentClient(api, thief.token ?? '')
  t.teardown(() => kube.close())
  await t.test('marks', t => checkMarks(t, kube))
  await t.test('leases', t => checkLease(t, kube))
  await t.test('events', t => checkEvents(t, kube))
  await t.test('interfaces of a pod', t => checkPods(t, kube, api))
  await t.test('a token for kactus', t => checkToken(t, kube, api))
})

const ofNodes = [...foreignNodeRefusals, ...ownNodeRefusals]
const refusals = [...ofNodes, ...podRefusals, ...leaseRefusals, ...eventRefusals, ...tokenRefusals]

await t.test('what else its token is tried for is refused, had it every right, and nothing has changed', async t => {
  await grantEverything(api, thief)
  const before = await readAll(api)
  for (const [right, name, send, says] of refusals) {
    const answer = await sendRequest(thief, await whole(api, send))
    const refused = { code: 403, body: { reason: 'Forbidden', message: "ValidatingAdmissionPolicy 'nopal-agent'" } }
    t.match(answer, refused, `${right}: ${name}`)
    t.match(answer, { body: { message: says } }, 'and says why')
  }
  t.same(await readAll(api), before)
})

await t.test('every right to write that the manifests grant was tried', async t => {
  const tried = new Set(refusals.map(([right]) => right))
  const grants = grantsOf(readObjects()).filter(({ account }) => account === 'nopal/nopal')
  const writes = grants.filter(({ verb }) => !['get', 'list', 'watch'].includes(verb))
  t.ok(writes.length >= 5)
  for (const { verb, resource } of writes) t.ok(tried.has(`${verb} ${resource}`), `${verb} ${resource}`)
})

await t.test('a token that names no node writes nothing', async t => {
  const nameless = await api.targetFor('nopal', 'nopal')
  const label = patchMerge(`${nodes}/${own}`, { metadata: { labels: { 'node-ready/verified': 'true' } } })
  t.match(await sendRequest(nameless, label), { code: 403, body: { message: 'does not say which node' } })
})

await t.test('nobody else is touched', async t => {
  for (const name of [own, other]) {
    const cordon = patchMerge(`${nodes}/${name}`, { spec: { unschedulable: true } })
    t.equal((await api.send(cordon)).code, 200, 'an administrator')
    const kubelet = await kubeletOf(api, name)
    const ready = { status: { conditions: [conditionOf('Ready', 'False')] } }
    t.equal((await sendRequest(kubelet, patchStrategic(`${nodes}/${name}/status`, ready))).code, 200, 'kubelet')
  }
})

await t.test('other names in the settings are other names in the policy', async t => {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/nopal-agent'
  // As README says it.
  const names = ["'example.com/closed'", "'NoExecute'", "'example.com/open'"]
  const steps = names.map((value, at) => ({ op: 'replace', path: `/spec/variables/${at}/expression`, value }))
  await must(api, patchJson(path, steps))
  const label = (key: string) => patchMerge(`${nodes}/${own}`, { metadata: { labels: { [key]: 'true' } } })
  await until('the new names', async () => (await sendRequest(thief, label('example.com/open'))).code === 200)
  const taints = [{ key: 'example.com/closed', effect: 'NoExecute' }]
  const taint = patchJson(`${nodes}/${own}`, [{ op: 'add', path: '/spec/taints/-', value: taints[0] }])
  t.equal((await sendRequest(thief, taint)).code, 200)
  t.equal((await sendRequest(thief, label('node-ready/verified'))).code, 403, 'the old one is no longer ours')
})
