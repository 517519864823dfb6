import t from 'tap'
import { createFilterDuty } from '../../../../agent/wireguard/filter-duty.ts'
import { type FilterFacts, planFilter, removeFilter } from '../../../../agent/wireguard/packet-filter.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'

const facts: FilterFacts = {
  devices: [{ name: 'nm-lab', listenPort: 51821 }],
  ownPods: ['10.42.1.0/24'],
  otherPods: ['10.42.2.0/24', 'fd42:2::/64'],
}

t.test('one step puts our table in place of the old one', async t => {
  t.strictSame(planFilter(facts), [
    'table inet nopal_mesh {}',
    'delete table inet nopal_mesh',
    'table inet nopal_mesh {',
    'chain output {',
    'type filter hook output priority filter; policy accept;',
    'udp sport { 51821 } ip daddr { 10.42.1.0/24, 10.42.2.0/24 } drop',
    'udp sport { 51821 } ip6 daddr { fd42:2::/64 } drop',
    'oifname != { "nm-lab" } tcp dport 51821 ip daddr { 10.42.2.0/24 } drop',
    'oifname != { "nm-lab" } tcp dport 51821 ip6 daddr { fd42:2::/64 } drop',
    '}',
    'chain input {',
    'type filter hook input priority filter; policy accept;',
    'udp dport { 51821 } ip saddr { 10.42.1.0/24, 10.42.2.0/24 } drop',
    'udp dport { 51821 } ip6 saddr { fd42:2::/64 } drop',
    '}',
    '}',
  ])
})

t.test('little to filter', async t => {
  const rules = (more: Partial<FilterFacts>) => planFilter({ ...facts, ...more }).filter(line => line.endsWith('drop'))
  t.strictSame(rules({ ownPods: [], otherPods: [] }), [])
  t.strictSame(rules({ devices: [], ownPods: [], otherPods: ['10.42.2.0/24'] }), [
    'tcp dport 51821 ip daddr { 10.42.2.0/24 } drop',
  ])
  const unread = [{ name: 'a"; flush ruleset; "', listenPort: 0 }]
  t.strictSame(
    rules({ devices: unread, otherPods: ['10.42.2.0/24'] }),
    ['tcp dport 51821 ip daddr { 10.42.2.0/24 } drop'],
    'a name that is more than a name',
  )
})

t.test('thousands of networks are several rules', async t => {
  const otherPods = Array.from({ length: 2_500 }, (_, index) => `10.${index >> 8}.${index & 255}.0/24`)
  const lines = planFilter({ ...facts, otherPods })
  t.equal(lines.filter(line => line.startsWith('udp sport')).length, 3)
  t.ok(lines.every(line => line.length < 128 * 1024))
})

function bed(wanted: boolean) {
  const ran: (readonly string[])[] = []
  const world = { facts: undefined as FilterFacts | undefined, nowMs: 0, fault: false }
  const duty = createFilterDuty({
    wanted,
    facts: () => world.facts,
    async run(commands) {
      if (world.fault) throw new Error('no nft')
      ran.push(commands)
    },
    clock: { monotonic: () => world.nowMs },
    log: createRecordingLogger(),
  })
  return { ran, world, run: () => duty.reconcile(new AbortController().signal) }
}

t.test('the table follows, and stays as it is while nothing is known', async t => {
  const { ran, world, run } = bed(true)
  await run()
  t.equal(ran.length, 0, 'what an earlier agent has left is not touched')
  world.facts = facts
  await run()
  await run()
  t.equal(ran.length, 1, 'the same again is no work')
  world.facts = { ...facts, otherPods: ['10.42.9.0/24'] }
  await run()
  t.match(ran.at(-1)?.join('\n'), '10.42.9.0/24')
  world.nowMs = 60_000
  await run()
  t.equal(ran.length, 3, 'somebody may have flushed it')
  world.fault = true
  world.facts = facts
  await t.rejects(run(), { message: 'no nft' })
  world.fault = false
  await run()
  t.strictSame(ran.at(-1), planFilter(facts), 'a failure is tried again')
})

t.test('switched off, it is taken away', async t => {
  const { ran, world, run } = bed(false)
  world.facts = facts
  t.equal(await run(), undefined)
  t.strictSame(ran, [removeFilter])
  world.fault = true
  t.equal(await run(), undefined, 'where there is no nft there is nothing to take away')
})
