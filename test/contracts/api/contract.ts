import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import { type ApiServer, startApiServer } from '../../cluster/api-server.ts'
import { accessCases } from './access-cases.ts'
import { accountCases } from './account-cases.ts'
import { conflictCases } from './conflict-cases.ts'
import { customCases } from './custom-cases.ts'
import { eventCases } from './event-cases.ts'
import { listCases } from './list-cases.ts'
import { nodeCases } from './node-cases.ts'
import { podCases } from './pod-cases.ts'
import { seedCases } from './seed-cases.ts'
import { statusCases } from './status-cases.ts'
import { type ContractCase, runSteps } from './step.ts'
import { runWatchCase, watchCases } from './watch-cases.ts'

const cases: readonly ContractCase[] = [
  ...seedCases,
  ...accessCases,
  ...nodeCases,
  ...statusCases,
  ...conflictCases,
  ...listCases,
  ...podCases,
  ...eventCases,
  ...accountCases,
  ...customCases,
]

/** Runs every case against one kind of server. What fails on the embedded one alone is a fault of that one. */
export async function runContract(t: Test, kind: ApiServer['kind']): Promise<void> {
  const server = await startApiServer({ kind, run: `contract-${randomBytes(3).toString('hex')}` })
  t.teardown(() => server.stop())
  for (const one of cases) {
    await t.test(one.name, async t => runSteps(t, server, one.steps(freshId())))
  }
  await t.test('watch', async t => {
    t.jobs = watchCases.length
    for (const one of watchCases) t.test(one.name, async t => runWatchCase(t, server, one, freshId()))
  })
  await t.test('audit', async t => checkAudit(t, server))
}

async function checkAudit(t: Test, server: ApiServer): Promise<void> {
  const path = `/api/v1/nodes/${freshId()}`
  await server.send({ method: 'GET', path: `${path}?resourceVersion=0`, headers: { 'user-agent': 'contract/1' } })
  const watch = await server.watch('/api/v1/nodes?watch=true&fieldSelector=metadata.name%3Daudit')
  watch.close()
  const lines = await server.requests()
  const user = 'kubernetes-admin'
  const wanted = { user, verb: 'get', path, query: 'resourceVersion=0', code: 404, userAgent: 'contract/1' }
  t.match(
    lines.filter(line => line.path === path),
    [wanted],
  )
  const started = lines.filter(line => line.verb === 'watch' && line.query.includes('audit'))
  t.match(started, [{ user, path: '/api/v1/nodes', code: 200 }], 'a watch is told once, when it starts')
  t.ok(
    lines.every(line => line.time > 0 && line.time <= Date.now()),
    'every line has its time',
  )
}

function freshId(): string {
  return `c${randomBytes(4).toString('hex')}`
}
