import { createKubeMetrics } from '../kube/metrics.ts'
import { createNodeContext } from '../node/context.ts'
import { startNodeDuties } from '../node/duties.ts'
import { recordBuild } from '../report/build-metrics.ts'
import { probeRoutes, reportRoutes } from '../report/routes.ts'
import { type ReportOptions, startReportServer } from '../report/server.ts'
import { createStatus } from '../report/status.ts'
import { systemClock as clock } from '../runtime/clock.ts'
import { createDutyMetrics } from '../runtime/duty-metrics.ts'
import { createListenDuty } from '../runtime/listen-duty.ts'
import { type Loop, type LoopOptions, startLoop } from '../runtime/loop.ts'
import { keepMemorySmall } from '../runtime/memory.ts'
import { createMetrics } from '../runtime/metrics.ts'
import { type ExitCode, exitCodes, type ProcessPorts } from '../runtime/process.ts'
import { connect, findCredentials, start } from './start.ts'

/** kubelet waits longer before it kills, but nobody should have to. */
const longestEndMs = 4_000

/** `nopal agent`: runs until it is asked to end. */
export async function runAgent(ports: ProcessPorts): Promise<ExitCode> {
  const { settings, log } = start(ports, { nodeNameOptional: false, output: ports.stdout })
  const credentials = await findCredentials(settings)
  const metrics = createMetrics()
  recordBuild(metrics, ports.version)
  const kube = connect(ports, credentials, createKubeMetrics(metrics))
  const loop = { log, clock, random: Math.random, onTurn: createDutyMetrics(metrics) }
  const memory = keepMemorySmall(clock)
  const status = createStatus({ node: settings.nodeName, version: ports.version }, clock.now())
  const node = createNodeContext({ ports, settings, log, credentials, kube, metrics, status, memory, loop })
  const { listen, probes } = settings.agent
  const servers = [
    serve('report', { listen, routes: reportRoutes({ metrics, status }), shares: { most: 100, mostOfOne: 16 } }, loop),
    serve('probes', { listen: probes, routes: probeRoutes({ status }), shares: { most: 16, mostOfOne: 16 } }, loop),
  ]
  log.info({ server: kube.server, dryRun: settings.gate.dryRun }, 'agent started')
  const duties = await startNodeDuties(node)
  await firing(ports.ended)
  memory.stop()
  log.info({}, 'agent ends')
  await Promise.race([Promise.all([duties, ...servers].map(part => part.stop())), later(longestEndMs)])
  kube.close()
  return exitCodes.well
}

function serve(name: string, options: ReportOptions, loop: LoopOptions): Loop {
  const { listen } = options
  return startLoop(createListenDuty({ name, listen, open: () => startReportServer(options), log: loop.log }), loop)
}

function firing(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function later(ms: number): Promise<void> {
  return new Promise(resolve => {
    setTimeout(resolve, ms)
  })
}
