import t from 'tap'
import { addMachine, startServer } from './bed.ts'
import { createFleet, rulesOf, writesSeen } from './fleet.ts'

const rangesOf = (number: number) => [`10.42.${number}.0/24`, `fd00:42:0:${number}::/64`]

t.test('a full life of three nodes: join, CIDR change, rename, leave', async t => {
  const fake = await startServer(t)
  const fleet = createFleet(t, fake)
  const machines = Object.fromEntries(['n1', 'n2', 'n3'].map(name => [name, addMachine(fake, name, ['lab', 'dual'])]))
  const want = Object.fromEntries(['n1', 'n2', 'n3'].map((name, at) => [name, rangesOf(at + 1)]))
  for (const [name, ranges] of Object.entries(want)) {
    fleet.nodes.set(name, ranges)
    await fleet.settle()
  }
  const ofBoth = (name: string, ranges: readonly string[]) =>
    ['lab', 'dual'].flatMap(network => ranges.map((range, index) => `${network} ${name} ${index} ${range}`))
  const all = (names: Readonly<Record<string, readonly string[]>>) =>
    Object.entries(names)
      .flatMap(([name, ranges]) => ofBoth(name, ranges))
      .sort()
  t.same(rulesOf(fake), all(want), 'joined')

  fleet.nodes.set('n2', ['10.42.7.0/24'])
  await fleet.settle()
  t.same(rulesOf(fake), all({ ...want, n2: ['10.42.7.0/24'] }), 'CIDRs changed')
  t.same(
    [...fake.state.rules.values()].map(({ name }) => name).filter(name => name.startsWith('n2')),
    ['n2 pods (1/1)', 'n2 pods (1/1)'],
  )

  const host = machines.n3?.host
  if (host !== undefined) host.name = 'new'
  fleet.nodes.delete('n3')
  fleet.nodes.set('new', rangesOf(3))
  const before = writesSeen(fake, 'DELETE')
  await fleet.settle()
  t.same(rulesOf(fake), all({ n1: rangesOf(1), n2: ['10.42.7.0/24'], new: rangesOf(3) }), 'renamed')
  t.equal(writesSeen(fake, 'DELETE'), before, 'by changing rules, not by deleting them')

  fleet.nodes.delete('n1')
  await fleet.settle()
  t.same(rulesOf(fake), all({ n2: ['10.42.7.0/24'], new: rangesOf(3) }), 'left')
})

t.test("kaput-not's rules are taken as they are: no write where nothing drifted", async t => {
  const fake = await startServer(t)
  const fleet = createFleet(t, fake)
  for (const [at, name] of ['n1', 'n2'].entries()) {
    const { nodes } = addMachine(fake, name)
    fleet.nodes.set(name, [`10.42.${at}.0/24`])
    const ids = Object.fromEntries(nodes.map(({ id }) => [id, 500]))
    const words = { name: `${name} pods (1/1)`, description: 'Managed by kaput-not (DO NOT EDIT): index=0' }
    const { signal } = new AbortController()
    const body = { ...words, network: 'lab', range: `10.42.${at}.0/24`, nat: false, nodes: ids }
    await fleet.client.createRule(body, { signal, fence: () => undefined })
  }
  const rows = JSON.stringify([...fake.state.rules.values()])
  const before = writesSeen(fake)
  await fleet.settle()
  t.equal(writesSeen(fake), before)
  t.equal(JSON.stringify([...fake.state.rules.values()]), rows, 'byte for byte')
})

t.test('servers of other versions: rules are made, put right, and then left alone', async t => {
  for (const version of ['0.99', '1.1', '1.5.1', '1.8'] as const) {
    const fake = await startServer(t)
    fake.faults.version = version
    const fleet = createFleet(t, fake)
    addMachine(fake, 'n1')
    fleet.nodes.set('n1', ['10.42.1.0/24'])
    await fleet.settle()
    const [rule] = fake.state.rules.values()
    if (rule !== undefined) rule.name = 'drifted'
    await fleet.settle()
    t.equal(rule?.name, 'n1 pods (1/1)', version)
    t.equal(writesSeen(fake), 2, version)
  }
})

t.test('one list per kind and network in a pass that finds nothing to do, none within 30 s', async t => {
  const fake = await startServer(t)
  const fleet = createFleet(t, fake)
  addMachine(fake, 'n1', ['lab', 'dual'])
  fleet.nodes.set('n1', ['10.42.1.0/24'])
  await fleet.settle()
  fake.seen.splice(0)
  await fleet.pass()
  const asked = fake.seen.map(({ method, path }) => `${method} ${path}`).sort()
  const rules = ['GET /api/v1/egress?network=dual', 'GET /api/v1/egress?network=lab']
  t.same(asked, ['GET /api/hosts', 'GET /api/networks', 'GET /api/nodes', ...rules])
})
