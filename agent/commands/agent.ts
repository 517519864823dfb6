import { createNodeContext } from '../node/context.ts'
import { startNodeDuties } from '../node/duties.ts'
import { shutDown } from '../node/shutdown.ts'
import { probeRoutes } from '../report/routes.ts'
import { firing } from '../runtime/clock.ts'
import { keepMemorySmall } from '../runtime/memory.ts'
import { type ExitCode, exitCodes, type ProcessPorts } from '../runtime/process.ts'
import { endAll, serve, serveReport, startRole } from './role.ts'

/** `nopal agent`: runs until it is asked to end. */
export async function runAgent(ports: ProcessPorts): Promise<ExitCode> {
  const role = await startRole(ports, { nodeNameOptional: false }, settings => settings.nodeName)
  const { settings, log, kube, loop } = role
  const memory = keepMemorySmall(loop.clock)
  const node = createNodeContext({ ...role, ports, memory })
  const { listen, probes } = settings.agent
  const servers = [
    serveReport(role, listen),
    serve('probes', { listen: probes, routes: probeRoutes(role), shares: { most: 16, mostOfOne: 16 } }, loop),
  ]
  log.info({ server: kube.server, dryRun: settings.gate.dryRun }, 'agent started')
  const duties = await startNodeDuties(node)
  await firing(ports.ended)
  memory.stop()
  log.info({}, 'agent ends')
  const stopped = endAll([duties, ...servers])
  await Promise.all([stopped, shutDown(node, stopped)])
  kube.close()
  return exitCodes.well
}
