import { open, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { addressesOf, withAttachment } from './attachment.ts'
import { SandboxError } from './errors.ts'
import { describeNetwork, findNetwork, makeRoom } from './network.ts'
import { ProbeProcess } from './probe-process.ts'
import type { SandboxOptions } from './sandbox.ts'

/** A namespace that stays attached as a pod's does, so that other nodes' sandboxes have somebody to ask. */
export interface StandingSandbox {
  /** Of the network, for people. */
  readonly name: string
  /** The whole of it: another text is another network. */
  readonly network: string
  /** That ADD gave it, the first family first. */
  readonly addresses: readonly string[]
}

/**
 * Makes a standing sandbox and keeps it until `work` ends. No process is in it: this one holds the namespace open, so
 * that after a kill of any kind it is gone, and what the plugins remember is on record.
 * @param signal ends plugins that hang, too
 * @throws SandboxError, or what the work throws
 */
export async function withStanding<T>(
  options: SandboxOptions,
  signal: AbortSignal,
  work: (standing: StandingSandbox) => Promise<T>,
): Promise<T> {
  const list = await findNetwork(options.paths)
  await makeRoom(options, list, signal)
  const namespace = await openNamespace(options, signal)
  try {
    return await withAttachment(options, { list, netns: namespace.path, signal }, result =>
      work({ name: list.name, network: describeNetwork(list), addresses: addressesOf(result) }),
    )
  } finally {
    await namespace.close()
  }
}

interface HeldNamespace {
  /** As the host sees it. */
  readonly path: string
  close(): Promise<void>
}

/** Only a process can make a namespace; it is needed for no longer than that. */
async function openNamespace({ paths, program }: SandboxOptions, signal: AbortSignal): Promise<HeldNamespace> {
  const root = paths.hostRoot === '' ? '/' : paths.hostRoot
  const probe = await ProbeProcess.start({ ...program, hostRoot: paths.hostRoot }, signal)
  try {
    const [held, self] = await Promise.all([open(join(root, probe.netns)), readlink(join(root, 'proc/self'))])
    return { path: `/proc/${self}/fd/${held.fd}`, close: () => held.close() }
  } catch (error) {
    throw new SandboxError('SandboxFailed', 'the namespace of the standing sandbox cannot be opened', error)
  } finally {
    await probe.end()
  }
}
