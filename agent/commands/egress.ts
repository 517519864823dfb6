import { SettingsError } from '../config/faults.ts'
import { netmakerAccess } from '../config/netmaker-access.ts'
import type { Settings } from '../config/settings.ts'
import type { KubeClient } from '../kube/client.ts'
import { listNodes } from '../kube/nodes.ts'
import { createDeleteBudget } from '../netmaker/budget.ts'
import type { NetmakerClient } from '../netmaker/client.ts'
import { readClusterNode, trimNode } from '../netmaker/cluster-nodes.ts'
import { describeOutlook, type EgressDocument } from '../netmaker/document.ts'
import { createMeshLists } from '../netmaker/lists.ts'
import { logWrite } from '../netmaker/log-write.ts'
import { openNetmaker } from '../netmaker/open.ts'
import { lookAhead, type PassParts, runPass } from '../netmaker/pass.ts'
import { formatEgressText } from '../netmaker/present.ts'
import { systemClock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import { type ExitCode, exitCodes, type ProcessPorts } from '../runtime/process.ts'
import { connect, findCredentials, start } from './start.ts'
import { type Flags, readOutput } from './usage.ts'

/** `nopal egress`: what the leader would write to Netmaker; `--apply` writes it once, guards included. */
export async function runEgress(ports: ProcessPorts, flags: Flags): Promise<ExitCode> {
  const output = readOutput(flags)
  const applies = flags.apply === true && flags['dry-run'] !== true
  const { settings, log } = start(ports, { nodeNameOptional: true, output: ports.stderr })
  const access = netmakerAccess(settings.netmaker)
  if (access === undefined) {
    throw new SettingsError([{ name: 'NETMAKER_API_URL', fault: 'must be set', value: undefined }])
  }
  const client = openNetmaker({ access, settings: settings.netmaker, userAgent: `nopal/${ports.version}` })
  const kube = connect(ports, await findCredentials(settings))
  try {
    const parts = passParts({ settings, client, kube, log }, ports.ended)
    const free = { signal: ports.ended, fence: () => undefined }
    const outlook = applies ? await runPass(parts, free) : await lookAhead(parts, ports.ended)
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

/** What is held for good reasons of its own is nothing to do. */
function exitOf({ actions, held }: EgressDocument, applied: boolean): ExitCode {
  const open = (applied ? 0 : actions.length) + held.length
  return open === 0 ? exitCodes.well : exitCodes.notWell
}
