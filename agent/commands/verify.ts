import { oneOf, someOf, ValueFault } from '../config/parsers.ts'
import type { Settings } from '../config/settings.ts'
import { createGateDuty } from '../gate/duty.ts'
import { KubeError } from '../kube/api.ts'
import type { KubeClient } from '../kube/client.ts'
import { createEventRecorder } from '../kube/events.ts'
import { type KubeNode, newerOf } from '../kube/node.ts'
import { createNodeWriter } from '../kube/node-writer.ts'
import { holdOfNetwork } from '../node/hold.ts'
import { systemClock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import { type ExitCode, exitCodes, type ProcessPorts } from '../runtime/process.ts'
import type { Verdict } from '../verdict/verdict.ts'
import { podAddressesOf } from '../verify/pods/addresses.ts'
import { createProgressLine, formatVerdictJson, formatVerdictText } from '../verify/present.ts'
import { toKubeFault } from '../verify/reasons.ts'
import { createVerification } from '../verify/verification.ts'
import type { WireguardSource } from '../verify/wireguard-check.ts'
import { findEgress, judgeEgress } from '../wireguard/egress.ts'
import { judgeMesh } from '../wireguard/judge.ts'
import { type ListedMesh, listMesh } from '../wireguard/list-mesh.ts'
import { openNodeObserver } from '../wireguard/node-observer.ts'
import { connect, findCredentials, findCredentialsIfAny, start } from './start.ts'
import { type Flags, readOutput, UsageError } from './usage.ts'

/**
 * `nopal verify`: one verification, shown; without `--dry-run` the Node shows it too. A dry run writes nothing to the host
 * either: it makes a sandbox only if `--from` asks for one. In a worker pod it looks from where it is.
 */
export async function runVerify(ports: ProcessPorts, flags: Flags): Promise<ExitCode> {
  const output = readOutput(flags)
  const given = start(ports, { nodeNameOptional: flags['dry-run'] === true, output: ports.stderr })
  const { inWorker, dryRun, sparesHost, needsCluster } = placeOf(given.settings, flags)
  const { log } = given
  const settings = inWorker ? given.settings : withVantages(given.settings, flags)
  const find = needsCluster ? findCredentials : findCredentialsIfAny
  const credentials = await find(settings, why => log.warn({}, `${why}: what needs a cluster is skipped`))
  const kube = credentials && connect(ports, credentials)
  const mesh = inWorker ? undefined : kube && createMeshSource(kube, settings)
  const { wireguard, podAddresses } = mesh ?? {}
  const place = { process: ports, settings, log, dryRun, sparesHost, inWorker }
  const verification = createVerification({ ...place, kube, credentials, wireguard, podAddresses })
  // Before the checks: a verdict must never be written to a Node that was made while they ran.
  const node = dryRun || kube === undefined ? undefined : await readNode(kube, settings, ports.ended)
  const progress = createProgressLine(ports.stderr)
  const verdict = await verification.run(ports.ended, progress.show).finally(progress.end)
  ports.stdout.write(output === 'json' ? formatVerdictJson(verdict) : formatVerdictText(verdict))
  if (kube !== undefined && node !== undefined) {
    await showOnNode({ kube, settings, log, node, verdict, signal: ports.ended })
  }
  kube?.close()
  return verdict.passed ? exitCodes.well : exitCodes.notWell
}

/** Where the run looks from, and what it leaves as it is. */
function placeOf({ gate }: Settings, flags: Flags) {
  // What a worker pod finds the leader reads from its exit code: it may write nothing.
  const inWorker = flags.from === 'worker'
  const dryRun = flags['dry-run'] === true || gate.dryRun || inWorker
  // A dry run works without any cluster; one that is named and cannot be had is a fault even then.
  return { inWorker, dryRun, sparesHost: dryRun && flags.from === undefined, needsCluster: !dryRun || inWorker }
}

/** One look at the devices, and at what the nodes publish, for the one verification. */
function createMeshSource(kube: KubeClient, settings: Settings) {
  const { nodeName: self, apiService, install } = settings
  let listed: Promise<ListedMesh> | undefined
  const list = (signal: AbortSignal) => {
    listed ??= listMesh(kube, { self, apiHost: apiService?.host }, signal).catch(throwFault)
    return listed
  }
  const wireguard: WireguardSource = {
    async inspect(signal) {
      const { map, own } = await list(signal)
      const { hostRoot } = install
      const { interfaces } = settings.wireguard
      const look = { hostRoot, interfaces, clock: systemClock, waits: false, onNoRoutes: () => undefined }
      const observer = await openNodeObserver(look)
      try {
        const { devices } = await observer.observe(map)
        const known = { devices, map, incidents: new Map(), ownSinceMs: own?.createdMs, nowMs: systemClock.now() }
        return judgeMesh(known).map(each => ({ ...each, seconds: 0 }))
      } finally {
        observer.close()
      }
    },
    async egress(signal) {
      const { networks } = await list(signal)
      return [{ ...judgeEgress(findEgress(self, networks)), seconds: 0 }]
    },
  }
  // Why nothing could be listed, the checks of the mesh say.
  const podAddresses = async (signal: AbortSignal) =>
    podAddressesOf((await list(signal).catch(() => undefined))?.networks ?? [])
  return { wireguard, podAddresses }
}

function throwFault(error: unknown): never {
  throw toKubeFault(error)
}

function withVantages(settings: Settings, flags: Flags): Settings {
  if (typeof flags.from !== 'string') return settings
  try {
    const from = someOf(oneOf('host', 'sandbox'))(flags.from)
    return { ...settings, verify: { ...settings.verify, from } }
  } catch (error) {
    if (error instanceof ValueFault) throw new UsageError(`--from ${error.message} (${flags.from})`)
    throw error
  }
}

/** undefined = the API did not let us; the checks will find out why, and say so. */
async function readNode(kube: KubeClient, settings: Settings, signal: AbortSignal): Promise<KubeNode | undefined> {
  try {
    return await createNodeWriter(kube, settings.nodeName).read(signal)
  } catch (error) {
    if (error instanceof KubeError && error.code !== 'NotFound') return undefined
    throw error
  }
}

interface Showing {
  readonly kube: KubeClient
  readonly settings: Settings
  readonly log: Logger
  readonly node: KubeNode
  readonly verdict: Verdict
  readonly signal: AbortSignal
}

async function showOnNode({ kube, settings, log, node, verdict, signal }: Showing): Promise<void> {
  let seen = node
  const duty = createGateDuty({
    // Who asks by hand wants the answer shown now, and one run is no reason to shut a node.
    settings: { ...settings.gate, mode: 'bootstrap' },
    sight: {
      current: () => seen,
      adopt: come => {
        seen = newerOf(seen, come)
      },
    },
    verdict: () => ({ uid: node.uid, verdict, streak: { runs: 1, spanMs: 0, ageMs: 0 } }),
    hold: () => holdOfNetwork(verdict),
    writer: createNodeWriter(kube, settings.nodeName),
    events: createEventRecorder({ api: kube, clock: systemClock, log, instance: settings.nodeName }),
    clock: systemClock,
    log,
    onWrite: () => undefined,
  })
  await duty.reconcile(signal)
}
