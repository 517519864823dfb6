import { needsNetmaker } from '../config/checks.ts'
import { netmakerAccess } from '../config/netmaker-access.ts'
import type { Settings } from '../config/settings.ts'
import type { KubeClient } from '../kube/client.ts'
import { createEventRecorder } from '../kube/events.ts'
import { listNodes } from '../kube/nodes.ts'
import { createDeleteBudget } from '../netmaker/budget.ts'
import type { NetmakerClient } from '../netmaker/client.ts'
import { readClusterNode, trimNode } from '../netmaker/cluster-nodes.ts'
import { createDeleteEvents } from '../netmaker/delete-events.ts'
import { describeOutlook, type EgressDocument } from '../netmaker/document.ts'
import { createMeshLists } from '../netmaker/lists.ts'
import { logWrite } from '../netmaker/log-write.ts'
import { openNetmaker } from '../netmaker/open.ts'
import { lookAhead, type Outlook, type PassParts, runPass } from '../netmaker/pass.ts'
import { formatEgressText } from '../netmaker/present.ts'
import type { ClusterNode } from '../netmaker/world.ts'
import { systemClock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import { type ExitCode, exitCodes, type ProcessPorts } from '../runtime/process.ts'
import { connect, findCredentials, start } from './start.ts'
import { type Flags, readOutput } from './usage.ts'

/** `nopal egress`: what the leader would write to Netmaker; `--apply` writes it once, guards included. */
export async function runEgress(ports: ProcessPorts, flags: Flags): Promise<ExitCode> {
  const output = readOutput(flags)
  const applies = flags.apply === true && flags['dry-run'] !== true
  const { settings, log } = start(ports, { nodeNameOptional: true, check: needsNetmaker, output: ports.stderr })
  const access = netmakerAccess(settings.netmaker)
  if (access === undefined) throw new Error('the settings were not checked')
  const client = openNetmaker({ access, settings: settings.netmaker, userAgent: `nopal/${ports.version}` })
  const kube = connect(ports, await findCredentials(settings))
  try {
    const opened = { settings, client, kube, log }
    const outlook = await (applies
      ? applyOnce(opened, ports.ended)
      : lookAhead(passParts(opened, ports.ended), ports.ended))
    const document = describeOutlook(settings.netmaker.cluster, outlook)
    ports.stdout.write(output === 'json' ? `${JSON.stringify(document)}\n` : formatEgressText(document))
    return exitOf(document, applies)
  } finally {
    client.close()
    kube.close()
  }
}

interface Opened {
  readonly settings: Settings
  readonly client: NetmakerClient
  readonly kube: KubeClient
  readonly log: Logger
}

/** Tells of deletes as the leader does. */
async function applyOnce(opened: Opened, signal: AbortSignal): Promise<Outlook> {
  const { settings, kube, log } = opened
  const parts = passParts(opened, signal)
  const known = new Map<string, ClusterNode>()
  const recorder = createEventRecorder({ api: kube, clock: systemClock, log, instance: settings.nodeName })
  const teller = createDeleteEvents(recorder, name => known.get(name))
  const events: Promise<void>[] = []
  const telling: PassParts = {
    ...parts,
    async nodes() {
      const nodes = await parts.nodes()
      for (const node of nodes) known.set(node.name, node)
      return nodes
    },
    onWrite(write, error) {
      parts.onWrite(write, error)
      if (error === undefined && write.action === 'delete') events.push(teller.tellDeleted(write, signal))
    },
  }
  try {
    const outlook = await runPass(telling, { signal, fence: () => undefined })
    await teller.tellHeld(outlook.held, signal)
    return outlook
  } finally {
    await Promise.all(events)
  }
}

function passParts({ settings, client, kube, log }: Opened, signal: AbortSignal): PassParts {
  const { cluster, maxDeletes: most, intervalMs } = settings.netmaker
  return {
    client,
    cluster,
    lists: createMeshLists(client, systemClock),
    nodes: async () => (await Array.fromAsync(listNodes(kube, signal))).map(trimNode),
    readNode: (name, until) => readClusterNode(kube, name, until),
    budget: createDeleteBudget({ most, intervalMs, clock: systemClock }),
    onWrite: (write, error) => logWrite(log, write, error),
  }
}

/** A Node that has no place in the mesh is for a person to do. */
function exitOf({ actions, held, unmatched }: EgressDocument, applied: boolean): ExitCode {
  const open = (applied ? 0 : actions.length) + held.length + unmatched.length
  return open === 0 ? exitCodes.well : exitCodes.notWell
}
