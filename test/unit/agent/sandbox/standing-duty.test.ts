import t from 'tap'
import { SandboxError } from '../../../../agent/sandbox/errors.ts'
import { createStandingDuty, type StandingState } from '../../../../agent/sandbox/standing-duty.ts'
import { createFakeClock } from '../runtime/fake-clock.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'

const { signal } = new AbortController()

/** A node whose network attaches, and may be told not to. */
function bed() {
  const done: string[] = []
  const states: StandingState[] = []
  const world = {
    wanted: true as boolean | undefined,
    network: 'net-a' as string | undefined,
    fault: undefined as SandboxError | undefined,
    answers: true,
  }
  const clock = createFakeClock()
  const log = createRecordingLogger()
  let made = 0
  const duty = createStandingDuty({
    wanted: () => world.wanted,
    async hold(_, work) {
      if (world.fault !== undefined) throw world.fault
      made += 1
      const name = `${world.network} ${made}`
      done.push(`ADD ${name}`)
      await work({ name, network: world.network ?? '', addresses: [`10.42.1.${made}`] })
      done.push(`DEL ${name}`)
    },
    async network() {
      if (world.network === undefined) throw new SandboxError('NoNetwork', 'there is no CNI network')
      return world.network
    },
    answers: async () => world.answers,
    onState: state => states.push(state),
    clock,
    log,
  })
  return {
    world,
    done,
    states,
    clock,
    log,
    duty,
    run: () => duty.reconcile(signal),
    addresses: () => states.at(-1)?.addresses,
  }
}

const lookMs = 10_000
const retryMs = 30_000

t.test('too early nothing is made and nothing said', async t => {
  const { world, done, states, run } = bed()
  world.wanted = undefined
  t.equal(await run(), undefined)
  t.strictSame([done, states], [[], []])
})

t.test('where none is wanted that is said, and one that stands is given back', async t => {
  const { world, done, run, addresses } = bed()
  await run()
  world.wanted = false
  t.equal(await run(), undefined)
  t.strictSame(done, ['ADD net-a 1', 'DEL net-a 1'])
  t.strictSame(addresses(), [])
})

t.test('one is made, and kept for as long as its network is the same', async t => {
  const { done, duty, run, addresses } = bed()
  for (const _ of [1, 2, 3]) t.equal(await run(), lookMs)
  t.strictSame(done, ['ADD net-a 1'])
  t.strictSame(addresses(), ['10.42.1.1'])
  await duty.close?.()
  t.strictSame(done, ['ADD net-a 1', 'DEL net-a 1'])
})

t.test('another network: given back first, then made anew', async t => {
  const { world, done, run, addresses } = bed()
  await run()
  world.network = 'net-b'
  t.equal(await run(), lookMs)
  t.strictSame(done, ['ADD net-a 1', 'DEL net-a 1', 'ADD net-b 2'])
  t.strictSame(addresses(), ['10.42.1.2'])
})

t.test('no network for a while: what stands is kept', async t => {
  const { world, done, run } = bed()
  await run()
  world.network = undefined
  t.equal(await run(), lookMs)
  t.strictSame(done, ['ADD net-a 1'])
})

t.test('refused: said once, tried again later, or at once on another network', async t => {
  const { world, done, clock, log, run, addresses } = bed()
  world.fault = new SandboxError('SandboxRefused', 'no address left')
  t.equal(await run(), retryMs)
  t.strictSame(addresses(), [])
  await clock.advance(10_000)
  t.equal(await run(), 20_000, 'woken meanwhile')
  await clock.advance(20_000)
  t.equal(await run(), retryMs)
  t.equal(log.lines.length, 1)
  world.fault = undefined
  world.network = 'net-b'
  t.equal(await run(), lookMs)
  t.strictSame(done, ['ADD net-b 1'])
})

t.test('no network at all, no rights', async t => {
  const { world, run } = bed()
  world.network = undefined
  t.equal(await run(), retryMs)
  world.network = 'net-a'
  world.fault = new SandboxError('NoSandbox', 'not permitted')
  t.equal(await run(), 600_000)
})

t.test('one that answers no more is made anew; one that never did is left alone', async t => {
  const { world, done, run } = bed()
  world.answers = false
  await run()
  for (const _ of [1, 2, 3, 4]) await run()
  t.strictSame(done, ['ADD net-a 1'], 'a network whose host does not reach its own pods')
  world.answers = true
  await run()
  world.answers = false
  await run()
  await run()
  t.strictSame(done, ['ADD net-a 1'], 'a packet or two may be lost')
  await run()
  t.strictSame(done, ['ADD net-a 1', 'DEL net-a 1', 'ADD net-a 2'])
})

t.test('what is no fault of the sandbox is the loop’s to tell', async t => {
  const { world, run } = bed()
  world.fault = Object.assign(new Error('bug')) as unknown as SandboxError
  await t.rejects(run(), { message: 'bug' })
})
