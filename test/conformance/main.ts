import { parseArgs } from 'node:util'
import { messageOf } from '../../cni/host/system-error.ts'
import { buildImage } from '../e2e/product.ts'
import { startTestCluster } from '../e2e/test-cluster.ts'
import { type ConformanceResult, runConformance } from './run.ts'
import { reportFolder } from './suite.ts'

// Runs the specs for a person: scripts/conformance.sh starts it.

const start = performance.now()
const say = (text: string): void => {
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  process.stdout.write(`conformance: ${seconds.padStart(6)} s  ${text}\n`)
}
// Also on a signal: whoever holds the cluster takes it down when this process is gone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))
try {
  process.exit(await main(process.argv.slice(2)))
} catch (error) {
  process.stderr.write(`conformance: ${messageOf(error)}\n`)
  process.exit(1)
}

async function main(args: readonly string[]): Promise<number> {
  const options = {
    'kill-agents': { type: 'boolean', default: false },
    jobs: { type: 'string', default: '4' },
  } as const
  const { values } = parseArgs({ args: [...args], options })
  const killAgents = values['kill-agents']
  const jobs = Number(values.jobs)
  const archive = await buildImage()
  say("nopal's image is built")
  const cluster = await startTestCluster()
  try {
    say(`cluster ${cluster.plan.id} is up: two nodes; the specs run, ${jobs} side by side`)
    const result = await runConformance(cluster, { archive, killAgents, jobs })
    return tell(result)
  } finally {
    await cluster.down()
    say('the cluster is taken down')
  }
}

function tell({ specs, faults, kills, pluginLogs }: ConformanceResult): number {
  for (const { name, passed, seconds, why } of specs.toSorted((a, b) => b.seconds - a.seconds))
    process.stdout.write(
      `${passed ? 'ok    ' : 'not ok'} ${seconds.toFixed(1).padStart(6)} s  ${name}\n${why === '' ? '' : `${why.slice(0, 2000)}\n`}`,
    )
  for (const fault of faults) process.stdout.write(`not ok ${fault}\n`)
  for (const [node, count] of kills) say(`the agent of ${node} was killed ${count} times`)
  for (const [node, { attached, errors }] of pluginLogs) {
    say(`kactus attached ${attached} pods on ${node}, with ${errors.length} errors`)
    for (const error of errors) process.stdout.write(`not ok kactus on ${node}: ${error}\n`)
  }
  const others = faults.length + [...pluginLogs.values()].flatMap(({ errors }) => errors).length
  const passed = specs.filter(spec => spec.passed).length
  const failed = specs.length - passed + others
  say(`${passed} passed, ${failed} failed; the suite's own report is in ${reportFolder}`)
  return failed === 0 ? 0 : 1
}
