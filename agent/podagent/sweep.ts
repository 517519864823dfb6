import { statSync } from 'node:fs'
import { join } from 'node:path'
import { lockState } from '../../cni/host/lock.ts'
import { isNetns } from '../../cni/host/netns.ts'
import type { ContainerRecord } from '../../cni/networks/record.ts'
import { readRecords, recordFiles } from '../../cni/networks/record-folder.ts'
import { printCniArgs } from '../../cni/spec/args.ts'
import { delChain, gcChain, type ValidAttachment } from '../../cni/spec/chain.ts'
import type { PluginRunner } from '../../cni/spec/plugin.ts'
import type { NodePod } from '../kube/pod.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Duty } from '../runtime/duty.ts'
import type { Logger } from '../runtime/log.ts'
import { livingContainers } from './processes.ts'
import type { RuntimeSandbox, SandboxRuntime } from './sandbox.ts'
import { isWhole, type SeenRecord, type SweepSight, suspectsOf } from './sweep-plan.ts'
import type { SystemConf } from './system-conf.ts'

export interface SweepOptions {
  readonly everyMs: number
  readonly conf: () => Promise<SystemConf>
  readonly runtime: SandboxRuntime
  /** Pods of this node; undefined = not all of them are known. */
  readonly pods: () => readonly NodePod[] | undefined
  /** Ids of our own sandboxes, which the runtime knows nothing of. */
  readonly probes: () => Promise<readonly string[]>
  readonly runner: (signal: AbortSignal) => PluginRunner
  /** A path of the host as this process sees it. */
  readonly here: (path: string) => string
  readonly onLeftover: (outcome: 'removed' | 'failed') => void
  readonly clock: Clock
  readonly log: Logger
}

/** More at once would keep the pods that start waiting. */
const mostAtOnce = 32
/** What runtimes call a pod's first interface. */
const podInterface = 'eth0'

/** Looks between two collections: what a plugin holds and kactus has no record of is rare, and nobody waits for it. */
const looksPerCollection = 30

/**
 * Gives back what sandboxes have left that the runtime no longer has. The runtime is asked only where a container of a
 * record has no process any more, or where a collection is due.
 */
export function createSweepDuty(options: SweepOptions): Duty {
  const { everyMs } = options
  let seenBefore = new Set<string>()
  let listedBefore: readonly RuntimeSandbox[] | undefined
  let looksLeft = 0
  return {
    name: 'sweep',
    async reconcile(signal) {
      const [suspected, listed] = [seenBefore, listedBefore]
      // A look that cannot be finished says nothing.
      seenBefore = new Set()
      listedBefore = undefined
      looksLeft -= 1
      const isDue = looksLeft <= 0
      const look = await lookAtAll(options, isDue, signal)
      if (look === undefined) return everyMs
      const { conf, sight } = look
      const suspects = suspectsOf(sight).filter(({ attachments }) => attachments.some(each => each.conf === conf.name))
      const stale = suspects.filter(({ containerId }) => suspected.has(containerId)).slice(0, mostAtOnce)
      for (const record of stale) await giveBack(options, { conf, record }, signal)
      seenBefore = new Set(suspects.filter(each => !stale.includes(each)).map(({ containerId }) => containerId))
      const isCollected = isDue && listed !== undefined && (await collect(options, { conf, sight, listed }, signal))
      if (isCollected) looksLeft = looksPerCollection
      else listedBefore = sight.sandboxes
      return everyMs
    },
  }
}

/** undefined = nothing can be told, or nothing needs to be. */
async function lookAtAll(
  options: SweepOptions,
  isDue: boolean,
  signal: AbortSignal,
): Promise<{ readonly conf: SystemConf; readonly sight: SweepSight } | undefined> {
  const { runtime } = options
  const pods = options.pods()
  const conf = await options.conf().catch(() => undefined)
  if (pods === undefined || conf === undefined) return undefined
  const records = await lookAtRecords(conf.cniDir, options)
  const living = livingContainers()
  const mayBeLost = suspectsOf({ records, living, sandboxes: [], pods: [] }).length > 0
  const sandboxes = isDue || mayBeLost ? await runtime.sandboxes(signal) : undefined
  return sandboxes && { conf, sight: { records, sandboxes, pods, living } }
}

async function lookAtRecords(cniDir: string, { clock, here }: SweepOptions): Promise<readonly SeenRecord[]> {
  const { records } = await readRecords(cniDir)
  return Promise.all(
    records.map(async record => {
      const written = statSync(recordFiles(cniDir, record.containerId).record, { throwIfNoEntry: false })
      const state = await lockState(join(cniDir, 'locks'), record.containerId)
      const ageMs = clock.now() - (written?.mtimeMs ?? clock.now())
      return { record, ageMs, isHeld: state === 'held', hasNetns: isNetns(here(record.netns)) }
    }),
  )
}

/** DEL as the runtime owed it. */
async function giveBack(
  { runner, log, onLeftover }: SweepOptions,
  { conf, record }: { readonly conf: SystemConf; readonly record: ContainerRecord },
  signal: AbortSignal,
): Promise<void> {
  const { containerId, netns, pod, attachments } = record
  const facts = { containerId, pod: `${pod?.namespace}/${pod?.name}`, networks: attachments.length }
  const owners = new Set(attachments.flatMap(({ owner }) => owner ?? []))
  const args = printCniArgs([
    ['IgnoreUnknown', '1'],
    ['K8S_POD_NAMESPACE', pod?.namespace ?? ''],
    ['K8S_POD_NAME', pod?.name ?? ''],
    ['K8S_POD_INFRA_CONTAINER_ID', containerId],
  ])
  // The number in a path below /proc may be another process's by now.
  const place = { containerId, netns: netns.startsWith('/proc/') ? '' : netns, args, capabilityArgs: {} }
  try {
    for (const ifname of owners.size === 0 ? [podInterface] : owners)
      await delChain(runner(signal), conf.list, { ...place, ifname })
    log.warn(facts, 'the runtime has lost this sandbox: what it held is given back')
    onLeftover('removed')
  } catch (error) {
    log.warn({ ...facts, err: error }, 'what a lost sandbox held could not be given back, this is tried again')
    onLeftover('failed')
  }
}

/**
 * GC of the plugins, with all that was there at either of the last two looks. kactus adds what it has on record by then.
 * @returns whether that is done for now
 */
async function collect(
  { runner, probes, log }: SweepOptions,
  {
    conf,
    sight,
    listed,
  }: { readonly conf: SystemConf; readonly sight: SweepSight; readonly listed: readonly RuntimeSandbox[] },
  signal: AbortSignal,
): Promise<boolean> {
  if (!isWhole(sight)) return false
  // None at all may be a runtime that has just begun.
  if (sight.sandboxes.length === 0) return true
  const ids = new Set([...sight.sandboxes, ...listed].map(({ containerId }) => containerId))
  for (const id of await probes()) ids.add(id)
  const valid: readonly ValidAttachment[] = [...ids].map(containerID => ({ containerID, ifname: podInterface }))
  const plugins = conf.list.plugins.map(plugin => ({ ...plugin, keepRecords: true }))
  await gcChain(runner(signal), { ...conf.list, plugins }, valid).catch(error =>
    log.warn({ err: error }, 'plugins could not collect what is left over'),
  )
  return true
}
