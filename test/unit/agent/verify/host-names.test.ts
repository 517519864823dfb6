import t from 'tap'
import { resolveAll, resolveOnce } from '../../../../agent/verify/host-names.ts'

const { signal } = new AbortController()

t.test('a name is asked for once', async t => {
  const asked: string[] = []
  const resolve = resolveOnce(async host => {
    asked.push(host)
    return [`192.0.2.${asked.length}`]
  })
  t.same(await Promise.all([resolve('a'), resolve('b'), resolve('a')]), [['192.0.2.1'], ['192.0.2.2'], ['192.0.2.1']])
  t.same(asked, ['a', 'b'])
})

t.test('names have addresses or none, addresses need none, and nobody is waited for beyond the limit', async t => {
  const resolve = async (host: string) => {
    if (host === 'bad') throw new Error('no such name')
    if (host === 'slow') await new Promise(() => undefined)
    return ['192.0.2.1']
  }
  const hosts = ['good', 'bad', 'slow', 'good', '192.0.2.9', '2001:db8::1']
  const all = await resolveAll(hosts, resolve, { signal, timeoutMs: 50 })
  t.same(all, { good: ['192.0.2.1'], bad: [], slow: [] })
})

t.test('a run that is over has no addresses', async t => {
  const ended = { signal: AbortSignal.abort(), timeoutMs: 60_000 }
  t.same(await resolveAll(['slow'], () => new Promise(() => undefined), ended), { slow: [] })
})
