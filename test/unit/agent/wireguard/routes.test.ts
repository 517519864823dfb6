import t from 'tap'
import { openRouteTable } from '../../../../agent/wireguard/routes.ts'

// Every machine has a loopback, and whatever else it has is its own affair: the lab knows more.
t.test('the kernel is asked', async t => {
  const table = await openRouteTable()
  t.teardown(() => table.close())
  t.strictSame(await table.find('127.0.0.1', 0), { device: 'lo', tunnel: false })
  t.strictSame(await table.find('::ffff:127.0.0.1', 7), { device: 'lo', tunnel: false })
  t.equal(await table.find('no address', 0), undefined)
  t.equal(await table.find('240.0.0.1', 0).then(route => route?.tunnel ?? false), false, 'no way, or one')
  const all = await Promise.all(Array.from({ length: 64 }, () => table.find('127.0.0.1', 0)))
  t.ok(
    all.every(route => route?.device === 'lo'),
    'as many at once as a look asks',
  )
})
