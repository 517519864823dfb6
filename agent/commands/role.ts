import type { Endpoint, Settings } from '../config/settings.ts'
import { createContact } from '../kube/contact.ts'
import { createKubeMetrics } from '../kube/metrics.ts'
import { recordBuild } from '../report/build-metrics.ts'
import { createJournal } from '../report/journal.ts'
import { reportRoutes } from '../report/routes.ts'
import { type ReportOptions, startReportServer } from '../report/server.ts'
import { createStatus } from '../report/status.ts'
import { systemClock as clock } from '../runtime/clock.ts'
import { createDutyMetrics } from '../runtime/duty-metrics.ts'
import { createListenDuty } from '../runtime/listen-duty.ts'
import { type Loop, type LoopOptions, startLoop } from '../runtime/loop.ts'
import { createMetrics } from '../runtime/metrics.ts'
import type { ProcessPorts } from '../runtime/process.ts'
import type { Role } from '../runtime/role.ts'
import { connect, findCredentials, type StartOptions, start } from './start.ts'

/** kubelet waits longer before it kills, but nobody should have to. */
const longestEndMs = 3_000

/**
 * Reads the settings and opens the way to the cluster.
 * @param subject whose status it is
 * @throws SettingsError, CredentialsError
 */
export async function startRole(
  ports: ProcessPorts,
  options: Pick<StartOptions, 'nodeNameOptional' | 'check'>,
  subject: (settings: Settings) => string,
): Promise<Role> {
  const { settings, log } = start(ports, { ...options, output: ports.stdout })
  const credentials = await findCredentials(settings)
  const metrics = createMetrics()
  recordBuild(metrics, ports.version)
  const count = createKubeMetrics(metrics)
  const contact = createContact(clock.now)
  const kube = connect(ports, credentials, answer => {
    count(answer)
    contact.heard(answer)
  })
  const loop = { log, clock, random: Math.random, onTurn: createDutyMetrics(metrics) }
  const status = createStatus({ node: subject(settings), version: ports.version }, clock.now)
  const journal = createJournal(clock.now)
  for (const { section } of [contact, journal]) status.add(section)
  return { settings, log, credentials, kube, metrics, status, onEvent: journal.add, loop }
}

/** Serves metrics, health and status to all. */
export function serveReport(role: Role, listen: Endpoint): Loop {
  return serve('report', { listen, routes: reportRoutes(role), shares: { most: 100, mostOfOne: 16 } }, role.loop)
}

/** Serves some routes as soon as the port can be had, and for as long as the process runs. */
export function serve(name: string, options: ReportOptions, loop: LoopOptions): Loop {
  const { listen } = options
  return startLoop(createListenDuty({ name, listen, open: () => startReportServer(options), log: loop.log }), loop)
}

/** Stops all parts; what takes too long is left to the end of the process. */
export async function endAll(parts: readonly { stop(): Promise<unknown> }[]): Promise<void> {
  const late = new Promise(resolve => setTimeout(resolve, longestEndMs))
  await Promise.race([Promise.all(parts.map(part => part.stop())), late])
}
