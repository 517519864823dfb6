import { readFile } from 'node:fs/promises'
import { unmark } from '../gate/unmark.ts'
import { type Ending, findEnding } from '../install/find-ending.ts'
import { tokenOf } from '../install/kubeconfig.ts'
import { lookAtOwners } from '../install/owners.ts'
import { installPaths } from '../install/paths.ts'
import { removeConf, uninstall } from '../install/uninstall.ts'
import { createKubeClient } from '../kube/client.ts'
import { createEventRecorder } from '../kube/events.ts'
import { fixedCredentials } from '../kube/follow-credentials.ts'
import { expiryOf } from '../kube/token-expiry.ts'
import { sandboxPaths } from '../sandbox/paths.ts'
import { leaveNothing } from '../sandbox/sweep.ts'
import { runNft } from '../wireguard/nft-program.ts'
import { removeFilter } from '../wireguard/packet-filter.ts'
import { installs, type NodeContext } from './context.ts'

/** With the time to find out, within terminationGracePeriodSeconds of daemonset/daemonset.yaml. */
const longestMs = 10_000

/**
 * Gives the node its own default network back if nopal is being taken away, and not just this agent: kactus would go on
 * attaching pods with an account that is gone, and no pod would start any more.
 * @param stopped when no duty writes any more
 */
export async function shutDown(node: NodeContext, stopped: Promise<unknown>): Promise<void> {
  const { log } = node
  const ending = await endingOf(node)
  if (ending.kind === 'unclear')
    log.info({}, 'it cannot be found out whether nopal is taken away: what is installed stays')
  if (ending.kind !== 'takenAway') return
  log.warn({ why: ending.why }, 'nopal is taken away: the node gets its own default network back')
  await stopped
  const late = new Promise<void>(resolve => setTimeout(resolve, longestMs))
  await Promise.race([giveBack(node).catch(error => log.error({ err: error }, 'not all could be given back')), late])
}

/** Who runs in no pod belongs to nothing that could be taken away. */
async function endingOf(node: NodeContext): Promise<Ending> {
  const { settings, kube, credentials, ownNode, loop } = node
  const { podName } = settings.agent
  if (podName === undefined || !installs(settings)) return { kind: 'restarted' }
  const names = { namespace: settings.podNamespace, daemonSet: podName.replace(/-[^-]*$/, ''), node: settings.nodeName }
  const known = credentials.last()
  const nobody = { ...known, token: undefined, clientCertPem: undefined, clientKeyPem: undefined }
  const token = await readKactusToken(node)
  const userAgent = `nopal/${node.ports.version}`
  const as = (who: typeof known) => createKubeClient({ credentials: fixedCredentials(who), userAgent })
  const [asKactus, asNobody] = [token === undefined ? undefined : as({ ...nobody, token }), as(nobody)]
  const hold = () => [known.token, token].every(each => each === undefined || isCurrent(each, loop.clock.now()))
  try {
    const look = () => lookAtOwners({ kube, asKactus, asNobody, tokensHold: hold(), names })
    return await findEnding({ look, nodeSeen: ownNode.current() !== undefined, clock: loop.clock })
  } finally {
    for (const client of [asKactus, asNobody]) client?.close()
  }
}

function isCurrent(token: string, nowMs: number): boolean {
  const expiry = expiryOf(token)
  return expiry === undefined || expiry > nowMs
}

async function readKactusToken({ settings, credentials }: NodeContext): Promise<string | undefined> {
  const { kubeconfig } = installPaths(settings.install)
  const text = await readFile(kubeconfig, 'utf8').catch(() => '')
  return tokenOf(text, credentials.last().server)
}

/** For the Node itself: with an account that is still known, taint, label and condition go too. */
const unmarkMs = 3_000

async function giveBack({ settings, log, kube, loop: { clock } }: NodeContext): Promise<void> {
  // First, and alone: whatever else takes long, pods start again.
  const removed = await removeConf(settings.install)
  log.warn({ removed }, 'pods start on the default network alone')
  await leaveNothing({ paths: sandboxPaths(settings.install), log })
  const report = await uninstall({ settings: settings.install, force: false })
  log.warn({ removed: report.removed, kept: report.kept, notes: report.notes }, 'kactus is taken off the node')
  await runNft(removeFilter).catch(error => log.debug({ err: error }, 'no table of the packet filter taken away'))
  const signal = AbortSignal.timeout(unmarkMs)
  const { nodeName: node, gate } = settings
  const events = createEventRecorder({ api: kube, clock, log, instance: node })
  await unmark({ api: kube, events, node, settings: gate, signal }).then(
    notes => log.info({ notes }, 'the Node has no marks of nopal any more'),
    error => log.info({ err: error }, 'the Node keeps the marks of nopal'),
  )
}
