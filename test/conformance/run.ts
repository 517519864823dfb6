import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findKubeAssets } from '../cluster/assets.ts'
import { kactusLog } from '../e2e/cluster/node.ts'
import { waitForVerified } from '../e2e/objects.ts'
import { giveImages, install } from '../e2e/product.ts'
import { cacheFolder, type TestCluster } from '../e2e/test-cluster.ts'
import { runCommand } from '../machine/command.ts'
import type { Machine } from '../machine/machine.ts'
import { until } from '../machine/wait.ts'
import { aliasesOf, findSpecsImage, giveSpecsImages } from './images.ts'
import { AgentKiller } from './killer.ts'
import { completeCluster } from './nodes.ts'
import { type PluginLog, readPluginLog } from './plugin-log.ts'
import type { SuiteResult } from './report.ts'
import { runSuite } from './suite.ts'

export interface ConformanceOptions {
  /** Path of nopal's image. */
  readonly archive: string
  /** Kill each node's agent every two seconds while the specs run. */
  readonly killAgents: boolean
  /** Specs side by side. */
  readonly jobs: number
}

export interface ConformanceResult extends SuiteResult {
  /** How many agents were killed, by node. */
  readonly kills: ReadonlyMap<string, number>
  /** By node. A start of a pod that failed once and was repeated fails no spec: here it is seen. */
  readonly pluginLogs: ReadonlyMap<string, PluginLog>
}

/** Installs nopal and runs the specs. In the end both agents answer and both nodes are verified, or it throws. */
export async function runConformance(cluster: TestCluster, options: ConformanceOptions): Promise<ConformanceResult> {
  const [folder, kubePrograms] = [
    await findKubeAssets(['e2e.test', 'ginkgo', 'agnhost', 'portmap']),
    await findKubeAssets(['kubectl']),
  ]
  const aliases = aliasesOf(await runCommand([join(folder, 'e2e.test'), '--list-images']))
  const image = await findSpecsImage(cacheFolder(), join(folder, 'agnhost'))
  await completeCluster(cluster, join(folder, 'portmap'))
  for (const machine of cluster.nodes.values()) {
    await giveImages(machine, options.archive)
    await giveSpecsImages(machine, image, aliases)
  }
  await install(cluster)
  await waitForNodes(cluster)
  const killer = options.killAgents ? new AgentKiller(cluster.nodes) : undefined
  try {
    const result = await runSuite(cluster, { folder, kubectl: join(kubePrograms, 'kubectl') }, options.jobs)
    const kills = (await killer?.end()) ?? new Map()
    await waitForNodes(cluster)
    return { ...result, kills, pluginLogs: await readPluginLogs(cluster.nodes) }
  } finally {
    await killer?.end()
  }
}

async function readPluginLogs(nodes: TestCluster['nodes']): Promise<ReadonlyMap<string, PluginLog>> {
  const read = async ({ folder }: Machine) => readPluginLog(await readFile(kactusLog(folder), 'utf8'))
  return new Map(await Promise.all([...nodes].map(async ([name, machine]) => [name, await read(machine)] as const)))
}

async function waitForNodes({ admin, nodes }: TestCluster): Promise<void> {
  for (const [name, machine] of nodes) {
    await until(`an agent that answers on ${name}`, () => askReady(machine), { limitMs: 60_000, despiteErrors: true })
    await waitForVerified(admin, name)
  }
}

/** The process itself: what the API says of it may be what was true of the one before. */
async function askReady(machine: Machine): Promise<true> {
  await machine.run(['curl', '--fail', '--silent', '--max-time', '2', 'http://127.0.0.1:8082/readyz'])
  return true
}
