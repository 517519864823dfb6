import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { podPort } from '../../../../../agent/verify/pods/pod-port.ts'
import { until } from '../../../../machine/wait.ts'

const limit = () => AbortSignal.timeout(5000)
/** Of the loopback network, and nobody else's. */
const own = '127.77.0.1'
const askedPort = 33_434

t.test('a kernel without anybody at that port answers both', async t => {
  await t.resolves(podPort.connect(own, limit()))
  for (const bytes of [0, 1392, 60_000]) await t.resolves(podPort.send(own, bytes, limit()))
})

t.test('somebody who listens there is no standing sandbox', async t => {
  const server = createServer(socket => socket.destroy()).listen(askedPort, own)
  await once(server, 'listening')
  t.teardown(() => server.close())
  await t.rejects(podPort.connect(own, limit()), { code: 'PodsUnreachable', message: /somebody else/ })
})

t.test('who takes datagrams and says nothing has not answered', async t => {
  const socket = createSocket('udp4').bind(askedPort, own)
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  let count = 0
  socket.on('message', () => {
    count += 1
  })
  await t.rejects(podPort.send(own, 100, AbortSignal.timeout(400)), { code: 'PodsUnreachable', message: /in time/ })
  await until('it to have been asked again', () => count > 1)
})

t.test('a signal that has fired, and an address that is none', async t => {
  await t.rejects(podPort.send(own, 100, AbortSignal.abort(new Error('over'))), { message: 'over' })
  await t.rejects(podPort.send('::ffff:0:0:0:1%nowhere', 100, AbortSignal.timeout(300)))
})
