import t from 'tap'
import { createRemedyMetrics } from '../../../../agent/remedy/metrics.ts'
import { planRemedy } from '../../../../agent/remedy/plan.ts'
import { createMetrics } from '../../../../agent/runtime/metrics.ts'
import { inputOf, sightOf, speaking, workerOf } from './samples.ts'

const open = sightOf('open', { tainted: false })
const failed = speaking('failed', 'failed')
const silent = sightOf('silent')
const running = workerOf('silent', { attempt: 2, failures: 1, state: 'running' })

t.test('all nodes by the state they are in, and the worker pods', async t => {
  const metrics = createMetrics()
  const series = createRemedyMetrics(metrics)
  const input = inputOf({ nodes: [open, failed, silent], workers: [running] })
  series.planned(planRemedy(input), input.workers)
  const text = await metrics.render()
  for (const line of [
    'kube_node_ready_verification_status{node="open",status="verified"} 1',
    'kube_node_ready_verification_status{node="failed",status="failed"} 1',
    'kube_node_ready_verification_status{node="silent",status="verifying"} 1',
    'kube_node_ready_node_status{node="open"} 1',
    'kube_node_ready_node_status{node="silent"} 0',
    'kube_node_ready_controller_nodes_verified 1',
    'kube_node_ready_controller_nodes_failed 1',
    'kube_node_ready_controller_nodes_verifying 1',
    'kube_node_ready_controller_nodes_unverified 0',
    'kube_node_ready_controller_node_retry_count{node="silent"} 1',
    'kube_node_ready_controller_worker_pods_active{node="silent"} 1',
    'kube_node_ready_worker_pods{status="running"} 1',
    'nopal_remedy_workers{state="running"} 1',
  ])
    t.ok(text.includes(`\n${line}\n`), line)
  series.clear()
  const after = await metrics.render()
  t.notMatch(after, /node="/, 'who leads no more knows nothing of nodes')
})

t.test('what ends is counted, and our own faults are no verdicts', async t => {
  const metrics = createMetrics()
  const series = createRemedyMetrics(metrics)
  for (const state of ['verified', 'failed', 'lost'] as const)
    series.ended(workerOf('n1', { state, attempt: 2, endedAgoMs: 30_000 }))
  const text = await metrics.render()
  for (const line of [
    'kube_node_ready_verifications_total{status="success"} 1',
    'kube_node_ready_verifications_total{status="failed"} 1',
    'kube_node_ready_controller_worker_pods_failed_total{node="n1",reason="check_failed"} 1',
    'kube_node_ready_controller_worker_pods_failed_total{node="n1",reason="lost"} 1',
    'kube_node_ready_controller_worker_pods_succeeded_total{node="n1"} 1',
    'kube_node_ready_verification_duration_seconds{node="n1"} 30',
    'kube_node_ready_retry_attempts_total{node="n1"} 3',
  ])
    t.ok(text.includes(`\n${line}\n`), line)
})

t.test('series of nodes that are gone go, others stay', async t => {
  const metrics = createMetrics()
  const series = createRemedyMetrics(metrics)
  const show = (...names: readonly string[]) =>
    series.planned(planRemedy(inputOf({ nodes: names.map(name => sightOf(name)) })), [])
  show('n1', 'n2')
  for (const node of ['n1', 'n2']) {
    series.started(node, undefined)
    series.started(node, new Error('refused'))
    for (const state of ['verified', 'failed', 'lost'] as const)
      series.ended(workerOf(node, { state, attempt: 2, endedAgoMs: 0 }))
    series.lifted(node, true, 0.1)
    series.lifted(node, false, 0.1)
    series.deleted(node, 'Node', true)
  }
  const both = await metrics.render()
  const count = (text: string, node: string) => text.split('\n').filter(line => line.includes(`node="${node}"`)).length
  t.ok(count(both, 'n1') > 30)
  show('n2')
  await new Promise(resolve => setImmediate(resolve))
  const one = await metrics.render()
  t.equal(count(one, 'n1'), 0)
  t.equal(count(one, 'n2'), count(both, 'n2'))
})
