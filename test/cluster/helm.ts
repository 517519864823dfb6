import { join } from 'node:path'
import { loadAll } from 'js-yaml'
import { callerEnv, collect, type Output } from '../machine/command.ts'
import { findKubeAssets } from './assets.ts'

/** Where the chart is. */
export const chartFolder = join(import.meta.dirname, '../../daemonset/chart')

/** Runs helm; whatever it says, it is not an error here. Values, if any, are what a file of `--values` holds. */
export async function runHelm(words: readonly string[], values?: object): Promise<Output> {
  const program = join(await findKubeAssets(['helm']), 'helm')
  const given = values === undefined ? [] : ['--values', '-']
  const output = await collect([program, ...words, ...given], {
    input: values === undefined ? '' : JSON.stringify(values),
    env: callerEnv,
    timeoutMs: 300_000,
  })
  // Of each link that the chart in a checkout is made of helm has a line.
  const stderr = output.stderr.split('\n').filter(line => !line.includes('found symbolic link'))
  return { ...output, stderr: stderr.join('\n') }
}

/**
 * The objects of the chart, as `helm install` sends them.
 * @throws Error with what helm says
 */
export async function renderChart<T>(values: object = {}, namespace = 'nopal'): Promise<readonly T[]> {
  const words = ['template', 'nopal', chartFolder, '--namespace', namespace]
  const { code, stdout, stderr } = await runHelm(words, values)
  if (code !== 0) throw new Error(stderr)
  return (loadAll(stdout) as (T | null)[]).filter(object => object !== null)
}
