import t, { type Test } from 'tap'
import type { FakeNetmaker } from '../../../fakes/netmaker/main.ts'
import { addMachine, startServer } from './bed.ts'
import { createFleet, type Fleet, reasonsOf, rulesOf, writesSeen } from './fleet.ts'

const names = Array.from({ length: 10 }, (_, at) => `n${at}`)
const wanted = names.map((name, at) => `lab ${name} 0 10.42.${at}.0/24`)

/** Ten nodes with their rules. */
async function startFleet(t: Test): Promise<{ readonly fake: FakeNetmaker; readonly fleet: Fleet }> {
  const fake = await startServer(t)
  const fleet = createFleet(t, fake)
  for (const [at, name] of names.entries()) {
    addMachine(fake, name)
    fleet.nodes.set(name, [`10.42.${at}.0/24`])
  }
  await fleet.settle()
  t.same(rulesOf(fake), wanted)
  return { fake, fleet }
}

const half = <T>(rows: readonly T[]): readonly T[] => rows.slice(0, rows.length / 2)
/** What a user with fewer rights sees. */
const some = <T>(rows: readonly T[]): readonly T[] => rows.filter((_, at) => at % 3 === 0)
const cuts = { empty: () => [], halved: half, filtered: some }

for (const [how, cut] of Object.entries(cuts)) {
  for (const list of ['hosts', 'nodes'] as const) {
    t.test(`${list}: ${how} list: no rule is deleted`, async t => {
      const { fake, fleet } = await startFleet(t)
      fake.faults.filter = (which, rows) => (which === list ? cut(rows) : rows)
      for (let passes = 0; passes < 3; passes++) await fleet.pass()
      t.equal(writesSeen(fake, 'DELETE'), 0)
      t.same(rulesOf(fake), wanted)
    })
  }

  t.test(`Nodes: ${how} list: no rule is deleted`, async t => {
    const { fake, fleet } = await startFleet(t)
    fleet.listed = cut
    for (let passes = 0; passes < 3; passes++) await fleet.pass()
    t.equal(writesSeen(fake, 'DELETE'), 0)
    t.same(rulesOf(fake), wanted)
  })

  t.test(`rules: ${how} list: whatever is made in excess is taken away again`, async t => {
    const { fake, fleet } = await startFleet(t)
    fake.faults.filter = (which, rows) => (which === 'rules' ? cut(rows) : rows)
    await fleet.pass()
    t.equal(writesSeen(fake, 'DELETE'), 0)
    fake.faults.filter = (_, rows) => rows
    await fleet.settle()
    t.same(rulesOf(fake), wanted)
  })
}

t.test('a rule of a Node that is gone, beside lists that are cut', async t => {
  const { fake, fleet } = await startFleet(t)
  fleet.nodes.delete('n9')
  fleet.listed = half
  const { held } = await fleet.pass()
  t.same([...new Set(reasonsOf(held))], ['PartialList'])
  t.same(rulesOf(fake), wanted)
  fleet.listed = all => all
  await fleet.settle()
  t.same(rulesOf(fake), wanted.slice(0, -1), 'goes when they are whole')
})

t.test('hosts renamed: no rule is deleted', async t => {
  const { fake, fleet } = await startFleet(t)
  for (const host of fake.state.hosts.values()) host.name = `x-${host.name}`
  const { plan } = await fleet.pass()
  t.equal(writesSeen(fake, 'DELETE'), 0)
  t.equal(plan.unmatched.length, 10)
})

t.test('all Nodes gone at once: no more than the share of them within an interval', async t => {
  const { fake, fleet } = await startFleet(t)
  for (const name of names.slice(1)) fleet.nodes.delete(name)
  const { held } = await fleet.pass()
  t.equal(writesSeen(fake, 'DELETE'), 1)
  t.same(reasonsOf(held), Array(8).fill('Cap'))
  await fleet.settle()
  t.same(rulesOf(fake), wanted.slice(0, 1))
})

for (const trouble of ['locked', 'unreadable'] as const) {
  t.test(`the database is ${trouble}: nothing is lost, all is well when it is well again`, async t => {
    const { fake, fleet } = await startFleet(t)
    fleet.nodes.delete('n9')
    if (trouble === 'locked') fake.faults.locked = true
    else fake.faults.unreadable.add('egresses')
    await t.rejects(fleet.pass(), { code: 'ServerError' })
    t.same(rulesOf(fake), wanted)
    fake.faults.locked = false
    fake.faults.unreadable.clear()
    await fleet.settle()
    t.same(rulesOf(fake), wanted.slice(0, -1))
  })
}

t.test('a POST that is done and never answered: one rule', async t => {
  const fake = await startServer(t)
  const fleet = createFleet(t, fake, { timeoutMs: 1_000 })
  addMachine(fake, 'n1')
  fleet.nodes.set('n1', ['10.42.1.0/24'])
  fake.faults.afterWrite = async () => 'hang'
  await t.rejects(fleet.pass(), { code: 'TimedOut' })
  fake.faults.afterWrite = async () => 'answer'
  await fleet.settle()
  t.same(rulesOf(fake), ['lab n1 0 10.42.1.0/24'])
  t.equal(writesSeen(fake, 'POST'), 1)
})

t.test('a leader killed between write and read-back: the next one makes no second rule', async t => {
  const fake = await startServer(t)
  addMachine(fake, 'n1')
  const [one, two] = [createFleet(t, fake), createFleet(t, fake)]
  for (const fleet of [one, two]) fleet.nodes.set('n1', ['10.42.1.0/24'])
  const killed = Promise.withResolvers<'answer' | 'hang'>()
  fake.faults.afterWrite = () => killed.promise
  const first = one.pass().catch(() => undefined)
  while (fake.state.rules.size === 0) await new Promise(resolve => setTimeout(resolve, 5))
  one.client.close()
  killed.resolve('hang')
  fake.faults.afterWrite = async () => 'answer'
  await two.settle()
  await first
  t.same(rulesOf(fake), ['lab n1 0 10.42.1.0/24'])
})

t.test('two leaders that overlap: one rule per network, node and index', async t => {
  const fake = await startServer(t)
  const leaders = [createFleet(t, fake), createFleet(t, fake)]
  for (const [at, name] of names.entries()) {
    addMachine(fake, name)
    for (const { nodes } of leaders) nodes.set(name, [`10.42.${at}.0/24`])
  }
  // Each lists before the other has written.
  fake.faults.filter = (which, rows) => (which === 'rules' ? [] : rows)
  await Promise.all(leaders.map(leader => leader.pass()))
  fake.faults.filter = (_, rows) => rows
  t.equal(fake.state.rules.size, 20, 'both have made all: the server refuses no double')
  await Promise.all(leaders.map(leader => leader.settle()))
  t.same(rulesOf(fake), wanted)
})

t.test("a PUT beside somebody's DELETE: the rule is made again", async t => {
  const { fake, fleet } = await startFleet(t)
  fleet.nodes.set('n1', ['10.42.99.0/24'])
  fake.faults.afterWrite = async method => {
    if (method === 'PUT')
      for (const [id, { range }] of fake.state.rules) if (range === '10.42.99.0/24') fake.state.rules.delete(id)
    return 'answer'
  }
  await fleet.pass()
  fake.faults.afterWrite = async () => 'answer'
  t.equal(fake.state.rules.size, 9, 'answered 200, and gone')
  await fleet.settle()
  t.same(rulesOf(fake), wanted.with(1, 'lab n1 0 10.42.99.0/24').toSorted())
})

t.test("a DELETE beside somebody's DELETE", async t => {
  const { fake, fleet } = await startFleet(t)
  fleet.nodes.delete('n9')
  const [id] = [...fake.state.rules].find(([, { range }]) => range === '10.42.9.0/24') ?? []
  fake.faults.instead = ({ method }) => {
    if (method === 'DELETE') fake.state.rules.delete(id ?? '')
    return undefined
  }
  await t.rejects(fleet.pass(), { code: 'WritesFailed', cause: { code: 'Refused', status: 400 } })
  await fleet.settle()
  t.same(rulesOf(fake), wanted.slice(0, -1))
})

t.test('one write that is refused keeps no other back', async t => {
  const { fake, fleet } = await startFleet(t)
  for (const rule of fake.state.rules.values()) rule.name = 'drifted'
  const refusal = { status: 400, type: 'application/json', body: '{"Code":400,"Message":"no"}' }
  let calls = 0
  fake.faults.instead = ({ method }) => (method === 'PUT' && ++calls === 3 ? refusal : undefined)
  await t.rejects(fleet.pass(), { code: 'WritesFailed', message: '1 of 10 writes were refused' })
  t.equal([...fake.state.rules.values()].filter(({ name }) => name === 'drifted').length, 1)
})

t.test('without its turn a leader writes nothing', async t => {
  const { fake, fleet } = await startFleet(t)
  for (const rule of fake.state.rules.values()) rule.name = 'drifted'
  fleet.nodes.delete('n9')
  const before = writesSeen(fake)
  const fence = () => {
    throw new Error('not its turn')
  }
  await t.rejects(fleet.pass(fence), { message: 'not its turn' })
  t.equal(writesSeen(fake), before)
})
