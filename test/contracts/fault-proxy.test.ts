import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { type ApiTarget, openWatch, sendRequest } from '../cluster/api-client.ts'
import { type ApiServer, startApiServer } from '../cluster/api-server.ts'
import { type Fault, type RunningProxy, startFaultProxy } from '../fakes/fault-proxy/start.ts'
import { until } from '../machine/wait.ts'

interface AnswerRow {
  readonly name: string
  readonly fault: Fault
  readonly code: number
  readonly body: unknown
  readonly headers?: object
}

const answerRows: readonly AnswerRow[] = [
  { name: '401', fault: { does: 'answer', code: 401 }, code: 401, body: { reason: 'Unauthorized', code: 401 } },
  { name: '403', fault: { does: 'answer', code: 403 }, code: 403, body: { reason: 'Forbidden', code: 403 } },
  { name: '409', fault: { does: 'answer', code: 409 }, code: 409, body: { reason: 'Conflict', code: 409 } },
  { name: '410 of a list', fault: { does: 'answer', code: 410 }, code: 410, body: { reason: 'Expired', code: 410 } },
  {
    name: '429 says when to come back',
    fault: { does: 'answer', code: 429, retryAfterSeconds: 7 },
    code: 429,
    body: 'Too many requests, please try again later.\n',
    headers: { 'retry-after': '7' },
  },
  { name: '500', fault: { does: 'answer', code: 500 }, code: 500, body: { reason: 'InternalError', code: 500 } },
  { name: 'slow', fault: { does: 'slow', ms: 20 }, code: 200, body: { kind: 'NodeList' } },
  { name: 'another path is spared', fault: { does: 'reset', path: '/pods' }, code: 200, body: { kind: 'NodeList' } },
  { name: 'another method is spared', fault: { does: 'reset', method: 'POST' }, code: 200, body: { kind: 'NodeList' } },
  { name: 'a list is no watch', fault: { does: 'reset', watch: true }, code: 200, body: { kind: 'NodeList' } },
]

interface BreakRow {
  readonly name: string
  readonly fault: Fault
  readonly error: { readonly code: string } | { readonly message: RegExp }
}

const breakRows: readonly BreakRow[] = [
  { name: 'refused', fault: { does: 'refuse' }, error: { code: 'ECONNREFUSED' } },
  { name: 'a stranger', fault: { does: 'strange' }, error: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } },
  { name: 'reset', fault: { does: 'reset' }, error: { code: 'ECONNRESET' } },
  { name: 'half a body', fault: { does: 'halfBody' }, error: { message: /aborted|broke off/ } },
]

const list = { method: 'GET', path: '/api/v1/nodes' } as const
const watchPath = '/api/v1/nodes?watch=true'

for (const kind of ['embedded', 'real'] as const) {
  await t.test(`before the ${kind} server`, async t => {
    const { server, proxy, target } = await start(t, kind)
    await t.test('lets everything through at first', async t => checkThrough(t, target))
    for (const row of answerRows) {
      await t.test(row.name, async t => {
        await proxy.set(row.fault)
        const answer = await sendRequest(target, list)
        t.equal(answer.code, row.code)
        t.match(answer.body, row.body)
        t.match(answer.headers, row.headers ?? {})
      })
    }
    for (const row of breakRows) {
      await t.test(row.name, async t => {
        await proxy.set(row.fault)
        await t.rejects(sendRequest(target, list), row.error, row.name)
        await proxy.clear()
        await checkThrough(t, target)
      })
    }
    await t.test('a fault is used up', async t => checkTimes(t, proxy, target))
    await t.test('no answer at all', async t => checkHang(t, proxy, target))
    await t.test('no answer until the faults are replaced', async t => checkHold(t, proxy, target))
    await t.test('410 of a watch is a line in its stream', async t => checkExpired(t, proxy, target))
    await t.test('a watch falls silent', async t => checkSilence(t, { server, proxy, target }))
  })
}

async function start(t: Test, kind: ApiServer['kind']) {
  const server = await startApiServer({ kind, run: `proxy-${randomBytes(3).toString('hex')}` })
  t.teardown(() => server.stop())
  const proxy = await startFaultProxy(server)
  // The last teardown that is added runs first.
  t.teardown(() => proxy.stop())
  await grantAll(server)
  return { server, proxy, target: await proxy.targetFor('default', 'default') }
}

/** The real server lets an account do nothing by itself. */
async function grantAll(server: ApiServer): Promise<void> {
  const answer = await server.send({
    method: 'POST',
    path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    body: {
      metadata: { name: 'everything' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', namespace: 'default', name: 'default' }],
    },
  })
  if (answer.code !== 201) throw new Error(`the right was not granted: ${answer.code}`)
}

async function checkThrough(t: Test, target: ApiTarget): Promise<void> {
  t.match(await sendRequest(target, list), { code: 200, body: { kind: 'NodeList' } })
}

async function checkTimes(t: Test, proxy: RunningProxy, target: ApiTarget): Promise<void> {
  await proxy.set({ does: 'answer', code: 500, times: 2 }, { does: 'answer', code: 403, times: 1 })
  const codes: number[] = []
  for (let count = 0; count < 4; count += 1) codes.push((await sendRequest(target, list)).code)
  t.same(codes, [500, 500, 403, 200])
  t.same(await proxy.hits(), [2, 1])
}

async function checkHang(t: Test, proxy: RunningProxy, target: ApiTarget): Promise<void> {
  await proxy.set({ does: 'hang', times: 1 })
  let outcome = 'none yet'
  const hanging = sendRequest(target, list).then(
    () => {
      outcome = 'answered'
    },
    () => {
      outcome = 'broken'
    },
  )
  await untilMet(proxy)
  await checkThrough(t, target)
  t.equal(outcome, 'none yet', 'others are answered meanwhile')
  await proxy.set({ does: 'refuse' })
  await hanging
  t.equal(outcome, 'broken', 'until its connection is cut')
  await proxy.clear()
}

async function checkHold(t: Test, proxy: RunningProxy, target: ApiTarget): Promise<void> {
  await proxy.set({ does: 'hold', times: 1 })
  let isAnswered = false
  const held = sendRequest(target, list).then(answer => {
    isAnswered = true
    return answer
  })
  await untilMet(proxy)
  await checkThrough(t, target)
  t.notOk(isAnswered, 'others are answered meanwhile')
  await proxy.clear()
  t.equal((await held).code, 200)
}

/** Asked of the proxy alone: another request might come before the one that is meant. */
function untilMet(proxy: RunningProxy): Promise<boolean> {
  return until('the fault to be met', async () => (await proxy.hits())[0] === 1)
}

async function checkExpired(t: Test, proxy: RunningProxy, target: ApiTarget): Promise<void> {
  await proxy.set({ does: 'answer', code: 410, watch: true })
  const watch = await openWatch(target, watchPath)
  t.match(await watch.next(), { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
  t.equal(await watch.next(), undefined)
  await checkThrough(t, target)
  await proxy.clear()
}

interface Parts {
  readonly server: ApiServer
  readonly proxy: RunningProxy
  readonly target: ApiTarget
}

/**
 * A watch that is open goes silent, and one that is opened then is so from the beginning. A third one, opened after, proves
 * that there was something to say, and by its end that the time of the second is over.
 */
async function checkSilence(t: Test, { server, proxy, target }: Parts): Promise<void> {
  await proxy.clear()
  const list = await server.send({ method: 'GET', path: '/api/v1/nodes' })
  const version = (list.body as { metadata: { resourceVersion: string } }).metadata.resourceVersion
  const path = `${watchPath}&resourceVersion=${version}`
  const open = await openWatch(target, path)
  await proxy.set({ does: 'silence', watch: true })
  const late = await openWatch(target, `${path}&timeoutSeconds=1`)
  await proxy.clear()
  const told: string[] = []
  for (const [which, watch] of Object.entries({ open, late })) {
    void watch.next().then(
      () => told.push(which),
      () => undefined,
    )
  }
  const name = `n${randomBytes(4).toString('hex')}`
  await server.send({ method: 'POST', path: '/api/v1/nodes', body: { metadata: { name } } })
  const speaking = await openWatch(target, `${path}&timeoutSeconds=2`)
  t.match(await speaking.next(), { type: 'ADDED', object: { metadata: { name } } })
  t.equal(await speaking.next(), undefined, 'the other ends after its time')
  t.same(told, [], 'the silent ones have told neither the change nor the end')
  open.close()
  late.close()
}
