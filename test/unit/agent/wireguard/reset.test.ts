import t from 'tap'
import type { KubeApi } from '../../../../agent/kube/api.ts'
import type { Lease } from '../../../../agent/kube/lease.ts'
import { createTerm, TermEndedError } from '../../../../agent/kube/term.ts'
import { createReset } from '../../../../agent/wireguard/reset.ts'
import { createFakeClock, settle } from '../runtime/fake-clock.ts'

/** A turn that can be ended, a netclient that is told to forget, and whether the turn was given back. */
function start() {
  const clock = createFakeClock()
  const seen = { resets: 0, givenBack: false }
  const [ending, stopping] = [new AbortController(), new AbortController()]
  const unasked: KubeApi = { server: '', request: () => Promise.reject(new Error('nobody is to be asked')) }
  const lease: Lease = {
    async hold(_, work) {
      try {
        return { result: await work(createTerm(unasked, ending.signal, () => true)) }
      } finally {
        seen.givenBack = true
      }
    },
  }
  const forget = async () => {
    seen.resets += 1
    return 'done' as const
  }
  const reset = createReset({ lease, forget, clock })
  return { clock, seen, ending, stopping, reset: () => reset('nm-lab', stopping.signal) }
}

t.test('the turn is kept until netclient is back, also when its time ends before', async t => {
  const { clock, seen, ending, reset } = start()
  const outcome = reset()
  await settle()
  ending.abort()
  await clock.advance(5_900)
  t.same(seen, { resets: 1, givenBack: false })
  await clock.advance(200)
  t.same([await outcome, seen.givenBack], ['done', true])
})

t.test('nobody is reset in a turn that has ended', async t => {
  const { seen, ending, reset } = start()
  ending.abort(new TermEndedError('it took too long'))
  t.same([await reset(), seen.resets], ['busy', 0])
})

t.test('an agent that ends does not wait', async t => {
  const { seen, stopping, reset } = start()
  const outcome = reset()
  await settle()
  stopping.abort()
  t.same([await outcome, seen.givenBack], ['done', true])
})
