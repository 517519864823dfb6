import { randomBytes } from 'node:crypto'
import { acquireLock } from '../../cni/host/lock.ts'
import { endOrphans } from '../../cni/host/orphans.ts'
import { errorCode, messageOf } from '../../cni/host/system-error.ts'
import { type AttachTo, delChain } from '../../cni/spec/chain.ts'
import type { ConfList } from '../../cni/spec/conf.ts'
import { field, type JsonObject } from '../../cni/spec/json.ts'
import type { PluginRunner } from '../../cni/spec/plugin.ts'
import { parseResult } from '../../cni/spec/result.ts'
import type { Logger } from '../runtime/log.ts'
import { SandboxError } from './errors.ts'
import { graceAfter } from './grace.ts'
import type { SandboxPaths } from './paths.ts'
import { attach, attachmentOf, createPluginRunner } from './plugins.ts'
import { removeRecord, writeRecord } from './record.ts'

/** How namespaces of this node are attached. */
export interface AttachmentOptions {
  readonly paths: SandboxPaths
  readonly log: Logger
  /** Of one run of one plugin. */
  readonly limitMs: number
  /** The real one starts processes. */
  readonly runner?: PluginRunner
}

/** What is attached, and to what. */
export interface Attachment {
  readonly list: ConfList
  /** Path of the namespace as the host sees it. */
  readonly netns: string
  /** Ends plugins that hang, too. */
  readonly signal: AbortSignal
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
/** After the signal: the agent itself must end within some seconds. */
const graceMs = 2000
/** With these a file system says that this process may not write there. */
const forbidden: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM', 'EROFS'])

/**
 * Attaches a namespace, hands what ADD returned to `work`, and detaches it again, whatever happens.
 * @throws SandboxError, or what the work throws
 */
export async function withAttachment<T>(
  options: AttachmentOptions,
  { list, netns, signal }: Attachment,
  work: (result: JsonObject) => Promise<T>,
): Promise<T> {
  const { paths, limitMs } = options
  const containerId = `nopal-probe-${randomBytes(16).toString('hex')}`
  const to = attachmentOf(containerId, netns)
  // Held as long as we live: whoever finds the record without it may clean up.
  const lock = await acquireLock(paths.lockFolder, containerId, { timeoutMs: lockLimitMs }).catch(unwritable)
  // It runs from the signal on, however long what is at work then takes to end.
  const grace = graceAfter(signal, graceMs)
  let result: JsonObject | undefined
  try {
    await writeRecord(paths.recordFolder, { containerId, list }).catch(unwritable)
    const runner = options.runner ?? createPluginRunner(paths, { limitMs, signal })
    result = await attach({ runner, limitMs }, list, to)
    return await work(result)
  } catch (error) {
    // A plugin that we have ended may have left others at work, out of reach of its end.
    if (isCut(error) || signal.aborted) await endOrphans({ containerId }, 0)
    throw error
  } finally {
    await takeDown(options, { list, to, result }, grace.signal)
    grace.end()
    lock.release()
  }
}

function isCut(error: unknown): boolean {
  return error instanceof SandboxError && error.code === 'SandboxTimedOut'
}

interface Attached {
  readonly list: ConfList
  readonly to: AttachTo
  /** undefined = ADD has not ended well. */
  readonly result: JsonObject | undefined
}

/** Never throws: what stays is on record. */
async function takeDown(
  options: AttachmentOptions,
  { list, to, result }: Attached,
  signal: AbortSignal,
): Promise<void> {
  const { paths, log, limitMs } = options
  const { containerId } = to
  try {
    const runner = options.runner ?? createPluginRunner(paths, { limitMs, signal })
    await delChain(runner, list, to, result)
    await removeRecord(paths.recordFolder, containerId)
  } catch (error) {
    await endOrphans({ containerId }, 0)
    log.warn({ err: error, containerId }, 'a probe sandbox could not be taken down, this is tried again')
  }
}

/** Where a file system is full or broken the network cannot attach pods either; only missing rights are our own affair. */
function unwritable(error: unknown): never {
  const detail = messageOf(error)
  const isOurs = forbidden.has(errorCode(error))
  throw new SandboxError(isOurs ? 'NoSandbox' : 'SandboxFailed', `the sandbox cannot be recorded: ${detail}`, error)
}
