import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { dialTcp, resolveHost } from '../../../../agent/verify/dial.ts'

const never = new AbortController().signal

t.test('dial: connects and hangs up', async t => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const seen = once(server, 'connection')
  await dialTcp('127.0.0.1', portOf(server.address()), never)
  const [socket] = await seen
  socket.resume()
  t.strictSame(await once(socket, 'close'), [false], 'closed without an error')
})

t.test('dial: nobody listens', async t => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server.address())
  server.close()
  await once(server, 'close')
  await t.rejects(dialTcp('127.0.0.1', port, never), { name: 'CheckFault', code: 'Refused' })
})

t.test('dial: no way there', async t => {
  // A broadcast address cannot be connected to, on any machine and without a packet.
  await t.rejects(dialTcp('255.255.255.255', 9, never), { name: 'CheckFault', code: 'Unreachable' })
})

t.test('dial: the limit passes while it connects', async t => {
  const controller = new AbortController()
  const dial = dialTcp('127.0.0.1', 9, controller.signal)
  controller.abort()
  await t.rejects(dial, { name: 'CheckFault', code: 'TimedOut' })
})

t.test('dial: called off before it began', async t => {
  await t.rejects(dialTcp('127.0.0.1', 9, AbortSignal.abort(new Error('over'))), { message: 'over' })
})

t.test('resolve: the machine itself', async t => {
  t.ok((await resolveHost('localhost')).length > 0)
})

t.test('resolve: a name that cannot exist', async t => {
  await t.rejects(resolveHost('a..b'), { name: 'CheckFault', code: 'Unreachable' })
})

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
