import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ClusterMachine } from '../e2e/cluster/machine.ts'
import { net } from '../e2e/cluster/plan.ts'
import type { TestCluster } from '../e2e/test-cluster.ts'
import { until } from '../machine/wait.ts'
import { readReport, type SuiteResult } from './report.ts'

/** Where the suite's own report and log are kept for whoever looks for a cause. */
export const reportFolder = join(import.meta.dirname, '../../dist/conformance')

/** How many specs of networks belong to conformance at the version of test/cluster/conformance. */
const specCount = 47

/** The suite gives up then, and says of each spec how far it came. */
const suiteMinutes = 10

export interface SuitePrograms {
  /** Folder with ginkgo and e2e.test. */
  readonly folder: string
  readonly kubectl: string
}

/**
 * Runs Kubernetes' own specs of networks that every conformant cluster passes. In the control plane's control group, so that
 * they end with the cluster, whatever becomes of this process.
 * @param jobs specs side by side
 */
export async function runSuite({ plan }: TestCluster, programs: SuitePrograms, jobs: number): Promise<SuiteResult> {
  const machine = ClusterMachine.open(plan, 'cp')
  const folder = machine.folder
  const kubeconfig = join(folder, 'suite.kubeconfig')
  const admin = await readFile(plan.kubeconfig, 'utf8')
  // The administrator's leads through a port that only the network of this machine has.
  await writeFile(kubeconfig, admin.replace(/server: \S+/, `server: https://${net.controlPlane}:${net.apiPort}`), {
    mode: 0o600,
  })
  const report = join(folder, 'report.json')
  const suite = machine.start({ name: 'ginkgo', argv: suiteArgv(programs, { kubeconfig, report, jobs }) })
  // Nothing of a machine's programs keeps this process from ending: the question does.
  await until('the end of the specs', () => !suite.running, { limitMs: (suiteMinutes + 1) * 60_000, everyMs: 500 })
  await keepFiles([report, join(folder, 'log/ginkgo.log')])
  return readReport(await readFile(report, 'utf8').catch(() => ''), specCount)
}

/** The cluster's own folder goes with the cluster. */
async function keepFiles(files: readonly string[]): Promise<void> {
  await rm(reportFolder, { recursive: true, force: true })
  await mkdir(reportFolder, { recursive: true })
  await Promise.all(files.map(file => copyFile(file, join(reportFolder, basename(file))).catch(() => undefined)))
}

interface SuiteFiles {
  readonly kubeconfig: string
  readonly report: string
  readonly jobs: number
}

function suiteArgv({ folder, kubectl }: SuitePrograms, { kubeconfig, report, jobs }: SuiteFiles): readonly string[] {
  return [
    join(folder, 'ginkgo'),
    `--procs=${jobs}`,
    String.raw`--focus=\[sig-network\].*\[Conformance\]`,
    '--no-color',
    `--timeout=${suiteMinutes}m`,
    `--json-report=${report}`,
    join(folder, 'e2e.test'),
    '--',
    `--kubeconfig=${kubeconfig}`,
    `--kubectl-path=${kubectl}`,
    '--provider=skeleton',
    '--num-nodes=2',
  ]
}
