import { wholeNetmaker } from '../config/checks.ts'
import type { Settings } from '../config/settings.ts'
import { startElection } from '../kube/election.ts'
import { LeaseObject } from '../kube/lease-object.ts'
import { createLeaderDuties, leadTerm } from '../lead/duties.ts'
import { createLeadership } from '../lead/leadership.ts'
import { createLastSuccess } from '../lead/success.ts'
import { firing } from '../runtime/clock.ts'
import { type ExitCode, exitCodes, type ProcessPorts } from '../runtime/process.ts'
import type { Role } from '../runtime/role.ts'
import { endAll, serveReport, startRole } from './role.ts'

/** `nopal lead`: stands for leader of the cluster, and works while it leads, until it is asked to end. */
export async function runLead(ports: ProcessPorts): Promise<ExitCode> {
  const role = await startRole(ports, { nodeNameOptional: true, check: wholeNetmaker }, () => 'leader')
  const { settings, log, kube, loop } = role
  const leadership = createLeadership(role.metrics)
  role.status.add(leadership.section)
  const leader = { ...role, succeeded: createLastSuccess(role.metrics, loop.clock) }
  const duties = createLeaderDuties(leader)
  const server = serveReport(role, settings.leader.listen)
  const lease = (await isElected(role)) ? leaseOf(role, ports.hostname) : undefined
  log.info({ server: kube.server, elected: lease !== undefined }, 'leader started')
  const election = startElection({
    ...loop,
    api: kube,
    lease,
    lead: term => leadTerm(leader, duties, term),
    onState: state => leadership.show(state, lease?.holder ?? ports.hostname),
  })
  await firing(ports.ended)
  log.info({}, 'leader ends')
  await endAll([election, server])
  kube.close()
  return exitCodes.well
}

/** Outside a cluster there is nobody to agree with, unless the settings say so. */
async function isElected({ settings, credentials }: Role): Promise<boolean> {
  return settings.leader.enabled ?? (await credentials.current()).source === 'in-cluster'
}

function leaseOf({ settings, kube: api, loop: { clock } }: Role, holder: string): LeaseObject {
  const { leader, podNamespace }: Settings = settings
  return new LeaseObject({ api, namespace: leader.namespace ?? podNamespace, name: leader.lease, holder, clock })
}
