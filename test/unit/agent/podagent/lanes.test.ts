import t from 'tap'
import { Lanes } from '../../../../agent/podagent/lanes.ts'
import { createFakeClock, settle } from '../runtime/fake-clock.ts'

t.test('so many at once; one that hangs gives up its place', async t => {
  const clock = createFakeClock()
  const lanes = new Lanes(1, 1000, clock)
  const begun: string[] = []
  const work = (name: string) => async () => {
    begun.push(name)
    await new Promise(() => undefined)
  }
  void lanes.run(work('hangs'))
  void lanes.run(work('next'))
  await settle()
  t.same(begun, ['hangs'])
  await clock.advance(1000)
  t.same(begun, ['hangs', 'next'])
})

t.test('one that ends makes room once', async t => {
  const clock = createFakeClock()
  const lanes = new Lanes(1, 1000, clock)
  await lanes.run(async () => undefined)
  await clock.advance(2000)
  let atWork = 0
  let most = 0
  const work = async () => {
    most = Math.max(most, ++atWork)
    await settle()
    atWork -= 1
  }
  await Promise.all([lanes.run(work), lanes.run(work), lanes.run(work)])
  t.equal(most, 1)
})
