import t from 'tap'
import { check } from '../../../../cni/kactus/check.ts'
import type { Attachment } from '../../../../cni/networks/record.ts'
import { failing } from '../fake-runner.ts'
import { refusalOf } from '../refusal.ts'
import { Bench } from './bench.ts'
import { aux, BLUE, GREEN, hotplugged, podArgs, primary, recordOf } from './fixtures.ts'

const asked = { conf: { prevResult: { ips: [] } } }

t.test('every network with its own result', async t => {
  const bench = new Bench(t)
  const result = { cniVersion: '1.1.0', ips: [{ address: '10.2.0.2/24' }], dns: {} }
  await bench.store.write(recordOf([primary(), aux({ result }), hotplugged()]), true)
  await check(bench.call('CHECK', asked))
  t.strictSame(bench.runner.trace, ['CHECK main eth0', `CHECK aux ${GREEN}`, `CHECK hot ${BLUE}`])
  t.strictSame(
    bench.runner.calls.map(({ config }) => config.prevResult),
    [primary().result, result, hotplugged().result],
  )
})

t.test('one network that is named, and no other', async t => {
  const bench = new Bench(t)
  await bench.store.write(recordOf([primary(), aux(), hotplugged()]), true)
  const named = (network: string) => ({ ...asked, request: { args: `${podArgs};K8S_POD_NETWORK=${network}` } })
  await check(bench.call('CHECK', named('blue')))
  await check(bench.call('CHECK', named('team/green')))
  t.strictSame(bench.runner.trace, [`CHECK hot ${BLUE}`, `CHECK aux ${GREEN}`])
  for (const other of ['red', 'other/green']) {
    t.equal((await refusalOf(() => check(bench.call('CHECK', named(other))))).code, 3, other)
  }
  t.equal(bench.runner.calls.length, 2)
})

t.test('the first failure', async t => {
  const bench = new Bench(t)
  await bench.store.write(recordOf([primary(), aux(), hotplugged()]), true)
  bench.plays(failing({ [`CHECK aux ${GREEN}`]: 44 }))
  t.equal((await refusalOf(() => check(bench.call('CHECK', asked)))).code, 44)
  t.equal(bench.runner.calls.length, 2)
})

interface RefusedCase {
  readonly name: string
  readonly attachments: readonly Attachment[] | undefined
  readonly conf?: Readonly<Record<string, unknown>>
  readonly code: number
}

const refusedCases: readonly RefusedCase[] = [
  { name: 'without the result of the ADD', attachments: [primary()], conf: {}, code: 7 },
  { name: 'of a container without a record', attachments: undefined, code: 3 },
  { name: 'of another interface', attachments: [primary({ owner: 'eth1', ifname: 'eth1' })], code: 3 },
  { name: "of another configuration's container", attachments: [primary({ conf: 'other' })], code: 3 },
  { name: 'of a container that was only adopted', attachments: [hotplugged()], code: 3 },
  { name: 'of an ADD that was broken off', attachments: [primary({ status: 'adding' })], code: 3 },
  { name: 'of a DEL that was broken off', attachments: [primary({ status: 'deleted' })], code: 3 },
]

for (const { name, attachments, conf = asked.conf, code } of refusedCases) {
  t.test(`CHECK ${name}`, async t => {
    const bench = new Bench(t)
    if (attachments !== undefined) await bench.store.write(recordOf(attachments), true)
    t.equal((await refusalOf(() => check(bench.call('CHECK', { conf })))).code, code)
    t.strictSame(bench.runner.trace, [])
  })
}
