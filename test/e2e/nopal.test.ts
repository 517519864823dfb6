import t from 'tap'
import { describeAgents, prepareBed } from './bed.ts'
import { agents } from './cases/agents.ts'
import { arrival } from './cases/arrival.ts'
import { continuous } from './cases/continuous.ts'
import { crowd } from './cases/crowd.ts'
import { helm } from './cases/helm.ts'
import { hotPlug } from './cases/hot-plug.ts'
import { capabilities, manual } from './cases/manual.ts'
import { networks } from './cases/networks.ts'
import { policy } from './cases/policy.ts'
import { rights } from './cases/rights.ts'
import { runtimeKilled } from './cases/runtime-killed.ts'
import { removal, shutdown } from './cases/shutdown.ts'
import { takenAway } from './cases/taken-away.ts'
import { buildImage } from './product.ts'
import { startTestCluster } from './test-cluster.ts'
import { timed } from './timed.ts'

// One cluster, from the first apply to the last uninstall. The cases are one story: each begins where the last one ended, so
// the first failure ends it.
const story = [
  ...arrival,
  ...policy,
  ...manual,
  ...networks,
  ...hotPlug,
  ...crowd,
  ...agents,
  ...capabilities,
  ...continuous,
  ...runtimeKilled,
  ...shutdown,
  ...rights,
  ...removal,
  ...takenAway,
  ...helm,
]

t.test('nopal on a real cluster', async t => {
  const archive = await timed(t, 'the image is built', buildImage)
  const cluster = await timed(t, 'the cluster is up', startTestCluster)
  t.teardown(() => cluster.down())
  const bed = await timed(t, 'both nodes have the image', () => prepareBed(cluster, archive))
  for (const [at, { name, run }] of story.entries()) {
    await t.test(name, t => timed(t, name, () => run(t, bed)))
    if (t.passing()) continue
    t.comment(await describeAgents(bed))
    const rest = story.slice(at + 1).map(each => each.name)
    return t.equal(rest.length, 0, `not run, because of the failure above: ${rest.join('; ')}`)
  }
})
