import t from 'tap'
import { createRandom } from '../verify/seeded-random.ts'
import { FakeCluster } from './fake-cluster.ts'
import { failing, verdictOf } from './samples.ts'

const bad = verdictOf(failing('dns', 'NXDomain'))
const good = verdictOf()

interface Weather {
  readonly name: string
  /** Whether a run passes, by its number. */
  readonly passes: (run: number) => boolean
  /** Taints and lifts in seven hours of runs, one every 10 seconds. */
  readonly taints: number
  readonly lifts: number
}

const runMs = 10_000
const runsOfSevenHours = 2_520

const weathers: readonly Weather[] = [
  { name: 'always well', passes: () => true, taints: 0, lifts: 0 },
  { name: 'always ill', passes: () => false, taints: 1, lifts: 0 },
  { name: 'every other run', passes: run => run % 2 === 0, taints: 0, lifts: 0 },
  { name: 'two of three fail', passes: run => run % 3 === 0, taints: 0, lifts: 0 },
  { name: 'three fail, one passes', passes: run => run % 4 === 3, taints: 1, lifts: 0 },
  { name: 'three fail, three pass: too short for a lift', passes: run => run % 6 >= 3, taints: 1, lifts: 0 },
  { name: 'three fail, four pass', passes: run => run % 7 >= 3, taints: 360, lifts: 360 },
  { name: 'ill for the first hour', passes: run => run >= 360, taints: 1, lifts: 1 },
]

for (const { name, passes, taints, lifts } of weathers) {
  t.test(`seven hours of flapping: ${name}`, async t => {
    const cluster = new FakeCluster(2)
    const agent = cluster.agent(0)
    for (let run = 0; run < runsOfSevenHours; run++) {
      agent.find(passes(run) ? good : bad)
      await agent.run()
      await cluster.clock.advance(runMs)
    }
    t.equal(agent.writes.filter(write => write.taint === 'add').length, taints, 'taints')
    t.equal(agent.writes.filter(write => write.taint === 'lift').length, lifts, 'lifts')
  })
}

/** What came before a moment. */
interface Past {
  readonly failures: number
  readonly passingMs: number
}

/** One change of the taint. */
interface Change extends Past {
  readonly to: 'tainted' | 'open'
}

function goOn({ failures, passingMs }: Past, passed: boolean, stepMs: number): Past {
  if (!passed) return { failures: failures + 1, passingMs: 0 }
  return { failures: 0, passingMs: failures === 0 ? passingMs + stepMs : 0 }
}

/** Runs at random times with random results, well at last. */
async function runRandomly(cluster: FakeCluster, random: (below: number) => number): Promise<readonly Change[]> {
  const agent = cluster.agent(0)
  const changes: Change[] = []
  let past: Past = { failures: 0, passingMs: 0 }
  for (let run = 0; run < 400; run++) {
    const passed = run > 380 || random(10) < 4 + random(4)
    const stepMs = 1_000 + random(15_000)
    const before = cluster.tainted.length
    await cluster.clock.advance(stepMs)
    past = goOn(past, passed, stepMs)
    agent.find(passed ? good : bad)
    await agent.run()
    const after = cluster.tainted.length
    if (after !== before) changes.push({ ...past, to: after > before ? 'tainted' : 'open' })
  }
  return changes
}

t.test('random weather: tainted after three failures, open after 30 s of passing', async t => {
  let count = 0
  const faults: string[] = []
  for (let seed = 1; seed <= 20; seed++) {
    const cluster = new FakeCluster(2)
    const changes = await runRandomly(cluster, createRandom(seed))
    const rash = changes.filter(({ to, failures, passingMs }) => (to === 'tainted' ? failures < 3 : passingMs < 30_000))
    if (rash.length > 0) faults.push(`seed ${seed}: ${JSON.stringify(rash)}`)
    if (cluster.tainted.length > 0) faults.push(`seed ${seed}: tainted in the end`)
    count += changes.length
  }
  t.same(faults, [])
  t.ok(count > 100, `${count} changes`)
})

t.test('while it settles it asks for the run that ends the time, once', async t => {
  const cluster = new FakeCluster(2)
  const agent = cluster.agent(0)
  for (let run = 0; run < 3; run++) {
    agent.find(bad)
    await agent.run()
  }
  t.same(cluster.tainted, ['n0'])
  await cluster.clock.advance(1_000)
  agent.find(good)
  t.equal(await agent.run(), 30_000)
  await cluster.clock.advance(30_000)
  t.equal(agent.asked(), 0)
  await agent.run()
  t.equal(agent.asked(), 1)
  agent.find(good)
  await agent.run()
  t.same(cluster.tainted, [])
  t.equal(agent.asked(), 1)
})
