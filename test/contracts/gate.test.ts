import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { closeSteps, liftSteps } from '../../agent/gate/taints.ts'
import { type KubeApi, KubeError, type KubeRequest } from '../../agent/kube/api.ts'
import { codeOfStatus } from '../../agent/kube/failures.ts'
import { createLease } from '../../agent/kube/lease.ts'
import { createNodeWriter, isStale, type JsonPatchStep, type NodeWriter } from '../../agent/kube/node-writer.ts'
import { listNodes } from '../../agent/kube/nodes.ts'
import { systemClock } from '../../agent/runtime/clock.ts'
import { type ApiServer, startApiServer } from '../cluster/api-server.ts'
import { ownLabel, ownTaint, settings } from '../unit/agent/gate/samples.ts'
import { handOut } from '../unit/agent/kube/hand-out.ts'
import { createRecordingLogger } from '../unit/agent/runtime/recording-logger.ts'

/** What the gate writes, on both API servers. */

const foreign = { key: 'dedicated', value: 'db', effect: 'NoSchedule' }
const timed = { key: 'example.com/late', effect: 'NoExecute', timeAdded: '2026-01-01T00:00:00Z' }
const otherEffect = { ...ownTaint, effect: 'NoExecute' }
const { signal } = new AbortController()

interface Case {
  readonly name: string
  readonly taints: readonly object[] | null | undefined
}

const cases: readonly Case[] = [
  { name: 'no list', taints: undefined },
  { name: 'a null list', taints: null },
  { name: 'an empty list', taints: [] },
  { name: 'one of others', taints: [foreign] },
  { name: 'several of others, one with our key', taints: [timed, otherEffect, foreign] },
]

for (const kind of ['embedded', 'real'] as const) {
  await t.test(`${kind} server`, async t => {
    const server = await startApiServer({ kind, run: `gate-${randomBytes(3).toString('hex')}` })
    t.teardown(() => server.stop())
    const api = apiOf(server)
    for (const row of cases) await t.test(row.name, t => checkMarks(t, server, api, row))
    await t.test('one of two agents gets the Lease', t => checkLease(t, api))
    await t.test('nodes are listed whole', async t => {
      const names: string[] = []
      for await (const node of listNodes(api, signal)) names.push(node.name)
      t.equal(names.length, cases.length)
    })
  })
}

async function checkMarks(t: Test, server: ApiServer, api: KubeApi, { taints }: Case): Promise<void> {
  const name = await makeNode(server, taints)
  const writer = createNodeWriter(api, name)
  const before = await writer.read(signal)
  const others = before.taints?.map(({ raw }) => raw) ?? []

  await t.test('the taint goes behind the others, the label goes', async t => {
    const shut = await patchBy(writer, closeSteps)
    t.same(
      shut.taints?.map(({ raw }) => raw),
      [...others, ownTaint],
    )
    t.notOk(shut.labels?.['node-ready/verified'])
  })
  await t.test('again: there is no second one', async t => {
    const stale = closeSteps(before, settings)
    await t.rejects(writer.patch(before.uid, stale, signal), KubeError)
    const error = await writer.patch(before.uid, stale, signal).catch(thrown => thrown)
    t.ok(isStale(error), 'which is taken as a change by others')
  })
  await t.test('the taint goes, the label comes', async t => {
    const open = await patchBy(writer, liftSteps)
    t.same(open.taints?.map(({ raw }) => raw) ?? [], others)
    t.equal(open.labels?.['node-ready/verified'], 'true')
  })
}

async function patchBy(
  writer: NodeWriter,
  steps: (node: Awaited<ReturnType<NodeWriter['read']>>, of: typeof settings) => readonly JsonPatchStep[],
) {
  const node = await writer.read(signal)
  return await writer.patch(node.uid, steps(node, settings), signal)
}

async function makeNode(server: ApiServer, taints: Case['taints']): Promise<string> {
  const name = `n${randomBytes(4).toString('hex')}`
  const metadata = { name, labels: ownLabel }
  await server.send({ method: 'POST', path: '/api/v1/nodes', body: { apiVersion: 'v1', kind: 'Node', metadata } })
  // The server itself taints a new node as not ready.
  const answer = await server.send({
    method: 'PATCH',
    path: `/api/v1/nodes/${name}`,
    body: { spec: { taints: taints ?? null } },
    contentType: 'application/merge-patch+json',
  })
  if (answer.code !== 200) throw new Error(`the node was not made: ${answer.code}`)
  return name
}

async function checkLease(t: Test, api: KubeApi): Promise<void> {
  const options = { api, namespace: 'kube-system', name: 'gate', clock: systemClock, log: createRecordingLogger() }
  const [one, two] = [createLease({ ...options, holder: 'n1' }), createLease({ ...options, holder: 'n2' })]
  for (const turn of ['absent', 'there, and free'] as const) {
    const held = await one.hold(signal, async () => await two.hold(signal, async () => 'both'))
    t.same(held, { result: undefined }, turn)
  }
  t.same(await two.hold(signal, async () => 'two'), { result: 'two' }, 'given back')
}

/** The agent's port, answered by the administrator's way in. */
function apiOf(server: ApiServer): KubeApi {
  return {
    server: server.url,
    async request(request: KubeRequest) {
      const { method, path, query, body, contentType } = request
      const search = query === undefined ? '' : `?${new URLSearchParams(query)}`
      const type = contentType === undefined ? {} : { contentType }
      const answer = await server.send({ method, path: path + search, body, ...type })
      if (answer.code < 300) return handOut(request, answer.body)
      throw new KubeError(codeOfStatus(answer.code), `${method} ${path}: ${answer.code}`, { status: answer.code })
    },
  }
}
