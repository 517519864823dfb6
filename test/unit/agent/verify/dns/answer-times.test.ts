import { mock } from 'node:test'
import t from 'tap'
import { createDnsCheck } from '../../../../../agent/verify/dns/check.ts'
import { socketDns } from '../../../../../agent/verify/dns/transport.ts'
import * as dns from '../../../../fakes/dns-server.ts'
import { settle } from '../../runtime/fake-clock.ts'
import { runFromHost, summarize } from '../run-check.ts'

interface AnswerCase {
  readonly name: string
  readonly afterMs: number
  readonly want: readonly string[]
}

const cases: readonly AnswerCase[] = [
  { name: 'an answer after 4.9 s at a limit of 5 s', afterMs: 4900, want: ['dns pass: x.test @127.0.0.1 A'] },
  {
    name: 'an answer after 5.1 s at a limit of 5 s',
    afterMs: 5100,
    want: ['dns fail NoAnswer: x.test @127.0.0.1 A,AAAA'],
  },
]

for (const { name, afterMs, want } of cases) {
  t.test(`DNS limits: ${name}`, async t => {
    const isTime = Promise.withResolvers<void>()
    const asked = new Set<string>()
    const server = await dns.startDnsServer({
      async script(question) {
        asked.add(question.type)
        await isTime.promise
        return [dns.answer(question, { A: ['192.0.2.7'] })]
      },
    })
    t.teardown(() => server.stop())
    // Packets are real and time is told, as a busy machine may take a tenth of a second for anything.
    mock.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => mock.timers.reset())
    const ports = { dns: socketDns, readResolvConf: async () => 'nameserver 127.0.0.1' }
    const results = runFromHost(createDnsCheck({ names: ['x.test'], limitMs: 5000, port: server.port, ports }))
    while (asked.size < 2) await settle()
    mock.timers.tick(afterMs)
    isTime.resolve()
    t.strictSame(
      (await results).map(summarize).filter(line => !line.endsWith('tcp')),
      want,
    )
  })
}
