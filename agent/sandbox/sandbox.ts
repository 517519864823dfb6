import { randomBytes } from 'node:crypto'
import { basename } from 'node:path'
import { acquireLock } from '../../cni/host/lock.ts'
import type { ConfList } from '../../cni/spec/conf.ts'
import { readFirstConf } from '../../cni/spec/conf-folder.ts'
import { field, type JsonObject } from '../../cni/spec/json.ts'
import type { PluginRunner } from '../../cni/spec/plugin.ts'
import { parseResult } from '../../cni/spec/result.ts'
import { followLinks } from '../runtime/host-root.ts'
import type { Logger } from '../runtime/log.ts'
import { SandboxError } from './errors.ts'
import type { SandboxPaths } from './paths.ts'
import { attach, attachmentOf, createPluginRunner, detach } from './plugins.ts'
import { ProbeProcess, type ProbeProgram } from './probe-process.ts'
import { removeRecord, writeRecord } from './record.ts'

/** How sandboxes of this node are made. */
export interface SandboxOptions {
  readonly paths: SandboxPaths
  readonly program: Omit<ProbeProgram, 'hostRoot'>
  readonly log: Logger
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

/**
 * Makes a sandbox, hands it to `work`, and takes it away again, whatever happens.
 * @throws SandboxError, or what the work throws
 */
export async function withSandbox<T>(
  options: SandboxOptions,
  signal: AbortSignal,
  work: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const { paths, program } = options
  const list = await findNetwork(paths)
  const probe = await ProbeProcess.start({ ...program, hostRoot: paths.hostRoot }, signal)
  try {
    return await withAttachment(options, { list, probe }, work)
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

async function withAttachment<T>(
  { paths, log, runner = createPluginRunner(paths) }: SandboxOptions,
  { list, probe }: { readonly list: ConfList; readonly probe: ProbeProcess },
  work: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  const containerId = `nopal-probe-${randomBytes(16).toString('hex')}`
  const to = attachmentOf(containerId, probe.netns)
  // Held as long as we live: whoever finds the record without it may clean up.
  const lock = await acquireLock(paths.lockFolder, containerId, { timeoutMs: lockLimitMs }).catch(unwritable)
  let result: JsonObject | undefined
  try {
    await writeRecord(paths.recordFolder, { containerId, list }).catch(unwritable)
    result = await attach(runner, list, to)
    return await work({ network: list.name, result, ask: (request, signal) => probe.ask(request, signal) })
  } finally {
    try {
      await detach(runner, list, { to, ...(result === undefined ? {} : { result }) })
      await removeRecord(paths.recordFolder, containerId)
    } catch (error) {
      log.warn({ err: error, containerId }, 'a probe sandbox could not be taken down, the next start tries again')
    }
    lock.release()
  }
}

function unwritable(error: unknown): never {
  const detail = error instanceof Error ? error.message : String(error)
  throw new SandboxError('NoSandbox', `the sandbox cannot be recorded: ${detail}`, error)
}
