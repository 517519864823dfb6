import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import t from 'tap'
import { createPeerPort } from '../../../../../agent/verify/peers/exchange.ts'
import { encodeAsk, toAnswer } from '../../../../../agent/verify/peers/message.ts'
import { startPeerResponder } from '../../../../../agent/verify/peers/responder.ts'

t.test('an agent answers small and large datagrams', async t => {
  const responder = await startPeerResponder({ host: '127.0.0.1', port: 0 })
  t.teardown(() => responder.close())
  const port = createPeerPort(responder.port)
  for (const bytes of [0, 64, 1392, 60_000]) await t.resolves(port.echo('127.0.0.1', bytes, AbortSignal.timeout(5000)))
})

t.test('it answers on every address where none is told', async t => {
  const responder = await startPeerResponder({ host: '', port: 0 })
  t.teardown(() => responder.close())
  await t.resolves(createPeerPort(responder.port).echo('127.0.0.1', 64, AbortSignal.timeout(5000)))
  await t.rejects(startPeerResponder({ host: '', port: responder.port }), { code: 'EADDRINUSE' })
})

interface Script {
  readonly name: string
  /** What comes back for the n-th datagram, from 1. */
  readonly answer: (ask: Buffer, count: number) => readonly Buffer[]
  readonly want: 'comes back' | 'silence'
}

const scripts: readonly Script[] = [
  {
    name: 'the first datagrams are lost',
    answer: (ask, count) => (count < 3 ? [] : [toAnswer(ask)]),
    want: 'comes back',
  },
  { name: 'nobody there', answer: () => [], want: 'silence' },
  { name: 'its own question comes back', answer: ask => [ask], want: 'silence' },
  { name: 'an answer to another question', answer: () => [toAnswer(encodeAsk('ff'.repeat(16), 64))], want: 'silence' },
  { name: 'noise before the answer', answer: ask => [Buffer.from('?'), toAnswer(ask)], want: 'comes back' },
]

for (const { name, answer, want } of scripts) {
  t.test(`exchange: ${name}`, async t => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    t.teardown(() => socket.close())
    let count = 0
    socket.on('message', (ask, from) => {
      count += 1
      for (const reply of answer(ask, count)) socket.send(reply, from.port, from.address)
    })
    const limit = AbortSignal.timeout(want === 'silence' ? 300 : 10_000)
    const echo = createPeerPort(socket.address().port).echo('127.0.0.1', 64, limit)
    if (want === 'silence') await t.rejects(echo, { code: 'PeersUnreachable' })
    else await t.resolves(echo)
  })
}

t.test('a responder never answers an answer, or two would talk for ever', async t => {
  const responder = await startPeerResponder({ host: '127.0.0.1', port: 0 })
  t.teardown(() => responder.close())
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  const replies: Buffer[] = []
  socket.on('message', reply => replies.push(reply))
  const ask = encodeAsk('00'.repeat(16), 64)
  for (const datagram of [toAnswer(ask), Buffer.from('hello'), Buffer.alloc(0), ask])
    socket.send(datagram, responder.port, '127.0.0.1')
  await once(socket, 'message')
  t.strictSame(replies, [toAnswer(ask)], 'the question alone got an answer')
})

t.test("the size of the way out is the interface's own", async t => {
  const port = createPeerPort(9)
  const mtu = await port.mtuTowards('127.0.0.1')
  const hasIpv6 = networkInterfaces().lo !== undefined && mtu !== undefined
  t.ok(!hasIpv6 || mtu > 1280, 'loopback is large, where the kernel tells')
  t.equal(await port.mtuTowards('no address'), undefined)
})
