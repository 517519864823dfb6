import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { socketDns, splitMessages } from '../../../../../agent/verify/dns/transport.ts'
import { createRandom } from '../seeded-random.ts'

const message = Buffer.alloc(12)
const ignore = () => undefined
const never = new AbortController().signal

for (const way of ['udp', 'tcp'] as const) {
  t.test(`${way}: an address that cannot be reached at all is no answer`, async t => {
    // Broadcast: connect fails at once, as it does for an IPv6 name server on a machine without IPv6.
    const server = { address: '255.255.255.255', port: 53 }
    await t.rejects(socketDns[way](server, message, ignore, never), { name: 'CheckFault', code: 'NoAnswer' })
  })

  t.test(`${way}: called off before it began`, async t => {
    const off = AbortSignal.abort(new Error('over'))
    await t.rejects(socketDns[way]({ address: '127.0.0.1', port: 9 }, message, ignore, off), { message: 'over' })
  })

  t.test(`${way}: called off at any moment of its start`, async t => {
    const moments = [queueMicrotask, process.nextTick, setImmediate, (run: () => void) => run()]
    for (const address of ['127.0.0.1', '::1']) {
      for (const moment of moments) {
        const controller = new AbortController()
        const exchange = socketDns[way]({ address, port: 9 }, message, ignore, controller.signal)
        moment(() => controller.abort(new Error('over')))
        await t.rejects(exchange)
      }
    }
  })
}

t.test('tcp: a server that hangs up without a word', async t => {
  const server = createServer(socket => socket.end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  await t.rejects(socketDns.tcp({ address: '127.0.0.1', port }, message, ignore, never), { code: 'NoAnswer' })
})

t.test('tcp: messages are whole however the stream is cut', async t => {
  const random = createRandom(7)
  const faults: object[] = []
  for (let run = 0; run < 200; run++) {
    const sent = Array.from({ length: random(5) }, () => Buffer.alloc(random(300), random(256)))
    const stream = Buffer.concat(sent.flatMap(each => [Buffer.from([each.length >> 8, each.length & 0xff]), each]))
    const received: Buffer[] = []
    let rest: Buffer = Buffer.alloc(0)
    for (let at = 0; at < stream.length; ) {
      const end = at + 1 + random(100)
      const [whole, left] = splitMessages(Buffer.concat([rest, stream.subarray(at, end)]))
      received.push(...whole)
      rest = left
      at = end
    }
    if (rest.length > 0 || !isDeepStrictEqual(received, sent)) faults.push({ run, sent, received, rest })
  }
  t.strictSame(faults, [])
})
