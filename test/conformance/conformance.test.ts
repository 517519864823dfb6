import t from 'tap'
import { buildImage } from '../e2e/product.ts'
import { startTestCluster } from '../e2e/test-cluster.ts'
import { timed } from '../e2e/timed.ts'
import { runConformance } from './run.ts'

t.test("Kubernetes' own conformance specs of networks, while every agent is killed every two seconds", async t => {
  const archive = await timed(t, 'the image is built', buildImage)
  const cluster = await timed(t, 'the cluster is up', startTestCluster)
  t.teardown(() => cluster.down())
  const options = { archive, killAgents: true, jobs: 4 }
  const { specs, faults, kills, pluginLogs } = await timed(t, 'the specs are run', () =>
    runConformance(cluster, options),
  )
  t.same(faults, [])
  for (const { name, passed, why } of specs) await t.test(name, async t => t.ok(passed, why))
  for (const [node, { attached, errors }] of pluginLogs)
    await t.test(`kactus attached the pods of ${node}, each at once`, async t => {
      t.comment(`attached ${attached} pods`)
      t.ok(attached > 10)
      t.same(errors, [])
    })
  for (const node of cluster.nodes.keys())
    await t.test(`the agent of ${node} came back and was killed again`, async t => {
      const count = kills.get(node) ?? 0
      t.comment(`killed ${count} times`)
      t.ok(count > 10)
    })
})
