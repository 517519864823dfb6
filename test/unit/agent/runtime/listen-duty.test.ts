import { once } from 'node:events'
import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { createListenDuty, type Listener } from '../../../../agent/runtime/listen-duty.ts'
import { createRecordingLogger } from './recording-logger.ts'

const { signal } = new AbortController()

async function listenOn(host: string, port: number): Promise<Listener> {
  const server = createServer().listen(port, host)
  await once(server, 'listening')
  const { port: got } = server.address() as { readonly port: number }
  return { port: got, close: async () => void (await new Promise(resolve => server.close(resolve))) }
}

function dutyOn(t: Test, host: string, port: number) {
  const log = createRecordingLogger()
  const duty = createListenDuty({ name: 'door', listen: { host, port }, open: () => listenOn(host, port), log })
  t.teardown(() => duty.close())
  return { duty, said: () => log.lines.map(([level, message]) => `${level} ${message}`) }
}

const taken = 'warn the port is taken: waiting for it'

t.test('listen: a port that is taken is waited for, which is said once, and had as soon as it is free', async t => {
  const before = await listenOn('127.0.0.1', 0)
  const { duty, said } = dutyOn(t, '127.0.0.1', before.port)
  for (let turn = 1; turn <= 3; turn += 1) t.type(await duty.reconcile(signal), 'number', 'it comes again')
  t.same(said(), [taken])
  await before.close()
  t.equal(await duty.reconcile(signal), undefined, 'and is done')
  t.same(said(), [taken, 'info listening'])
  await duty.close()
  await (await listenOn('127.0.0.1', before.port)).close()
})

t.test('listen: an address that has yet to come is waited for', async t => {
  const { duty, said } = dutyOn(t, '192.0.2.7', 1)
  t.type(await duty.reconcile(signal), 'number')
  t.same(said(), [taken])
})

t.test('listen: any other fault is one of the duty', async t => {
  const open = () => Promise.reject(Object.assign(new Error('no right'), { code: 'EACCES' }))
  const log = createRecordingLogger()
  const duty = createListenDuty({ name: 'door', listen: { host: '', port: 1 }, open, log })
  await t.rejects(duty.reconcile(signal), { code: 'EACCES' })
  t.same(log.lines, [])
  await duty.close()
})
