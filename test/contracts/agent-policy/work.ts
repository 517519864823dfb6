import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { closeSteps, liftSteps } from '../../../agent/gate/taints.ts'
import { unmark } from '../../../agent/gate/unmark.ts'
import { createAccessSource } from '../../../agent/install/access.ts'
import { createKubeClient, type KubeClient } from '../../../agent/kube/client.ts'
import { createEventRecorder, nodeRef } from '../../../agent/kube/events.ts'
import type { CredentialsSource } from '../../../agent/kube/follow-credentials.ts'
import { fixedCredentials } from '../../../agent/kube/follow-credentials.ts'
import { createLease } from '../../../agent/kube/lease.ts'
import { createNodeWriter } from '../../../agent/kube/node-writer.ts'
import { createStatusTeller } from '../../../agent/podagent/status-teller.ts'
import { systemClock as clock } from '../../../agent/runtime/clock.ts'
import type { ApiServer } from '../../cluster/api-server.ts'
import { settings } from '../../unit/agent/gate/samples.ts'
import { attached, green, podOf, primary, recordOf } from '../../unit/agent/podagent/samples.ts'
import { createRecordingLogger } from '../../unit/agent/runtime/recording-logger.ts'
import { get } from '../api/requests.ts'
import { must, own, pods } from './bed.ts'

// What an agent does, by its own code.

const { signal } = new AbortController()

export function agentClient(api: ApiServer, token: string): KubeClient {
  return createKubeClient({ credentials: credentialsOf(api, token), userAgent: 'nopal/contract' })
}

function credentialsOf({ url, caFile }: Pick<ApiServer, 'url' | 'caFile'>, token: string): CredentialsSource {
  return fixedCredentials({
    source: 'in-cluster',
    server: url,
    caPem: readFileSync(caFile, 'utf8'),
    ...{ tlsServerName: undefined, insecure: false, token },
    ...{ clientCertPem: undefined, clientKeyPem: undefined },
  })
}

export async function checkMarks(t: Test, kube: KubeClient): Promise<void> {
  const writer = createNodeWriter(kube, own)
  const { uid } = await writer.read(signal)
  const time = new Date(clock.now()).toISOString()
  for (const steps of [liftSteps, closeSteps, liftSteps]) {
    const node = await writer.patch(uid, steps(await writer.read(signal), settings), signal)
    t.equal(node.labels?.['node-ready/verified'], steps === liftSteps ? 'true' : undefined)
    t.equal(node.taints?.length, steps === liftSteps ? 2 : 3, 'those of others stay')
  }
  for (const status of ['True', 'False'] as const) {
    const condition = { type: 'nopal.io/NetworkReady', status, reason: 'Told', message: 'told' }
    const times = { lastHeartbeatTime: time, lastTransitionTime: time }
    const { conditions } = await writer.setCondition(uid, { ...condition, ...times }, signal)
    t.match(
      conditions.find(({ type }) => type === condition.type),
      { status },
    )
  }
  const log = createRecordingLogger()
  const events = createEventRecorder({ api: kube, clock, log, instance: own })
  const done = await unmark({ api: kube, events, node: own, settings, signal })
  t.same(done, ['removed label node-ready/verified', 'removed condition nopal.io/NetworkReady'])
  await writer.patch(uid, closeSteps(await writer.read(signal), settings), signal)
  t.same(await unmark({ api: kube, events, node: own, settings, signal }), ['removed taint node-ready/unverified'])
  t.same(log.lines, [], 'and an Event says so')
}

export async function checkLease(t: Test, kube: KubeClient): Promise<void> {
  const log = createRecordingLogger()
  const lease = createLease({ api: kube, namespace: 'nopal', name: 'nopal-gate', holder: own, clock, log })
  for (const turn of ['made', 'taken again']) {
    t.same(await lease.hold(signal, async () => turn), { result: turn })
    t.same(log.lines, [], 'and given back')
  }
}

export async function checkEvents(t: Test, kube: KubeClient): Promise<void> {
  const log = createRecordingLogger()
  const events = createEventRecorder({ api: kube, clock, log, instance: own })
  const { uid } = await createNodeWriter(kube, own).read(signal)
  // The second one counts up the first.
  for (const type of ['Normal', 'Normal'] as const) {
    await events.record(nodeRef({ name: own, uid }), { type, reason: 'Told', note: 'told' }, signal)
  }
  t.same(log.lines, [], 'they were sent')
}

export async function checkPods(t: Test, kube: KubeClient, api: ApiServer): Promise<void> {
  const log = createRecordingLogger()
  const { body } = await must(api, get(`${pods}/${own}`))
  const { metadata } = body as { metadata: { namespace: string; name: string; uid: string } }
  const pod = { ...podOf([]), ...metadata, facts: { uid: metadata.uid, annotations: {} } }
  const record = recordOf([primary(), attached('default/green', green)])
  const conf = { name: 'kactus-net', multusReader: 'kactus' } as const
  const status = createStatusTeller(kube)
  await status.tell(pod, record, conf, signal)
  const said = async () => {
    const read = (await must(api, get(`${pods}/${own}`))).body as { metadata: { annotations: Record<string, string> } }
    return read.metadata.annotations['k8s.v1.cni.cncf.io/network-status'] ?? ''
  }
  const told = await said()
  t.match(JSON.parse(told), [
    { name: 'any', interface: 'eth0' },
    { name: 'default/green', interface: green },
  ])
  const another = { ...pod, facts: { ...pod.facts, uid: 'another' } }
  await status.tell(another, recordOf([primary()]), conf, signal)
  t.equal(await said(), told, 'a pod that is another by now is let be')
  const events = createEventRecorder({ api: kube, clock, log, instance: own })
  const event = { type: 'Normal', reason: 'AddedInterface', note: 'told' } as const
  // The second one counts up the first.
  for (let turn = 0; turn < 2; turn++)
    await events.record({ apiVersion: 'v1', kind: 'Pod', ...metadata }, event, signal)
  t.same(log.lines, [], 'they were sent')
}

export async function checkToken(t: Test, kube: KubeClient, api: ApiServer): Promise<void> {
  const credentials = credentialsOf(api, '')
  const node = { name: own, uid: () => undefined }
  const access = await createAccessSource({ credentials, kube, namespace: 'nopal', node, clock })(signal)
  const claims = JSON.parse(Buffer.from(access.token?.split('.')[1] ?? '', 'base64url').toString())
  t.match(claims, {
    sub: 'system:serviceaccount:nopal:kactus',
    'kubernetes.io': { node: { name: own, uid: String }, serviceaccount: { name: 'kactus' } },
  })
  t.equal(claims.exp - claims.iat, 3600, 'for an hour')
  t.notOk(claims['kubernetes.io'].pod, 'which the end of the agent does not cut short')
}
