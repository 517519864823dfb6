import { randomBytes } from 'node:crypto'
import { basename } from 'node:path'
import { acquireLock } from '../../cni/host/lock.ts'
import { endOrphans } from '../../cni/host/orphans.ts'
import { errorCode, messageOf } from '../../cni/host/system-error.ts'
import type { AttachTo } from '../../cni/spec/chain.ts'
import type { ConfList } from '../../cni/spec/conf.ts'
import { readFirstConf } from '../../cni/spec/conf-folder.ts'
import { field, type JsonObject } from '../../cni/spec/json.ts'
import type { PluginRunner } from '../../cni/spec/plugin.ts'
import { parseResult } from '../../cni/spec/result.ts'
import { followLinks } from '../runtime/host-root.ts'
import type { Logger } from '../runtime/log.ts'
import { SandboxError } from './errors.ts'
import { graceAfter } from './grace.ts'
import type { SandboxPaths } from './paths.ts'
import { attach, attachmentOf, createPluginRunner, detach } from './plugins.ts'
import { ProbeProcess, type ProbeProgram } from './probe-process.ts'
import { countRecords, removeRecord, writeRecord } from './record.ts'
import { sweepSandboxes } from './sweep.ts'

/** How sandboxes of this node are made. */
export interface SandboxOptions {
  readonly paths: SandboxPaths
  readonly program: Omit<ProbeProgram, 'hostRoot'>
  readonly log: Logger
  /** Of one run of one plugin. */
  readonly limitMs: number
  /** The real one starts processes. */
  readonly runner?: PluginRunner
}

/** A namespace that is attached as a pod's is, and the program in it. */
export interface Sandbox {
  readonly network: string
  /** What ADD returned. */
  readonly result: JsonObject
  ask(request: string, signal: AbortSignal): Promise<string>
}

/** Addresses that ADD gave the sandbox, the first family first; none where the plugins said nothing that can be read. */
export function addressesOf(result: JsonObject): readonly string[] {
  try {
    const { ips } = parseResult(result, '1.1.0')
    return ips.map(ip => String(field(ip, 'address')).replace(/\/.*/, ''))
  } catch {
    return []
  }
}

const lockLimitMs = 1000
/** More that could not be taken down, and the network does not let go of what it attaches: more would use it up. */
const mostLeft = 10
/** After the signal: the agent itself must end within some seconds. */
const graceMs = 2000
/** With these a file system says that this process may not write there. */
const forbidden: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM', 'EROFS'])

/**
 * Makes a sandbox, hands it to `work`, and takes it away again, whatever happens.
 * @param signal ends plugins that hang, too
 * @throws SandboxError, or what the work throws
 */
export async function withSandbox<T>(
  options: SandboxOptions,
  signal: AbortSignal,
  work: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const { paths, program } = options
  const list = await findNetwork(paths)
  await makeRoom(options, list, signal)
  const probe = await ProbeProcess.start({ ...program, hostRoot: paths.hostRoot }, signal)
  try {
    return await withAttachment(options, { list, probe, signal }, work)
  } finally {
    await probe.end()
  }
}

/** The network a runtime would use: the first file of the folder that is one. */
async function findNetwork({ confFolder, hostRoot }: SandboxPaths): Promise<ConfList> {
  const faults: string[] = []
  const found = await readFirstConf(confFolder, {
    follow: followLinks(hostRoot),
    onFault: path => faults.push(basename(path)),
  })
  if (found !== undefined) return found.list
  const detail = faults.length === 0 ? '' : ` (no network: ${faults.join(', ')})`
  throw new SandboxError('NoNetwork', `there is no CNI network in ${confFolder}${detail}`)
}

/** @throws SandboxError SandboxRefused where earlier sandboxes are still attached */
async function makeRoom(options: SandboxOptions, list: ConfList, signal: AbortSignal): Promise<void> {
  const { paths } = options
  if ((await countRecords(paths.recordFolder)) <= mostLeft) return
  await sweepSandboxes({ ...options, signal })
  const left = await countRecords(paths.recordFolder)
  if (left <= mostLeft) return
  throw new SandboxError(
    'SandboxRefused',
    `network ${list.name}: more than ${mostLeft} sandboxes could not be detached`,
  )
}

interface Attachment {
  readonly list: ConfList
  readonly probe: ProbeProcess
  readonly signal: AbortSignal
}

async function withAttachment<T>(
  options: SandboxOptions,
  { list, probe, signal }: Attachment,
  work: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const { paths, limitMs } = options
  const containerId = `nopal-probe-${randomBytes(16).toString('hex')}`
  const to = attachmentOf(containerId, probe.netns)
  // Held as long as we live: whoever finds the record without it may clean up.
  const lock = await acquireLock(paths.lockFolder, containerId, { timeoutMs: lockLimitMs }).catch(unwritable)
  let result: JsonObject | undefined
  try {
    await writeRecord(paths.recordFolder, { containerId, list }).catch(unwritable)
    const runner = options.runner ?? createPluginRunner(paths, { limitMs, signal })
    result = await attach({ runner, limitMs }, list, to)
    return await work({ network: list.name, result, ask: (request, until) => probe.ask(request, until) })
  } catch (error) {
    // A plugin that we have ended may have left others at work, out of reach of its end.
    if (isCut(error) || signal.aborted) await endOrphans({ containerId }, 0)
    throw error
  } finally {
    await takeDown(options, { list, to, ...(result === undefined ? {} : { result }) }, signal)
    lock.release()
  }
}

function isCut(error: unknown): boolean {
  return error instanceof SandboxError && error.code === 'SandboxTimedOut'
}

interface Attached {
  readonly list: ConfList
  readonly to: AttachTo
  readonly result?: JsonObject
}

/** Never throws: what stays is on record. */
async function takeDown(options: SandboxOptions, { list, to, result }: Attached, signal: AbortSignal): Promise<void> {
  const { paths, log, limitMs } = options
  const grace = graceAfter(signal, graceMs)
  const { containerId } = to
  try {
    const runner = options.runner ?? createPluginRunner(paths, { limitMs, signal: grace.signal })
    await detach(runner, list, { to, ...(result === undefined ? {} : { result }) })
    await removeRecord(paths.recordFolder, containerId)
  } catch (error) {
    await endOrphans({ containerId }, 0)
    log.warn({ err: error, containerId }, 'a probe sandbox could not be taken down, this is tried again')
  } finally {
    grace.end()
  }
}

/** Where a file system is full or broken the network cannot attach pods either; only missing rights are our own affair. */
function unwritable(error: unknown): never {
  const detail = messageOf(error)
  const isOurs = forbidden.has(errorCode(error))
  throw new SandboxError(isOurs ? 'NoSandbox' : 'SandboxFailed', `the sandbox cannot be recorded: ${detail}`, error)
}
