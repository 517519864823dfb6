import type { JsonObject } from '../../cni/spec/json.ts'
import { type AttachmentOptions, withAttachment } from './attachment.ts'
import { findNetwork, makeRoom } from './network.ts'
import { ProbeProcess, type ProbeProgram } from './probe-process.ts'

/** How sandboxes of this node are made. */
export interface SandboxOptions extends AttachmentOptions {
  readonly program: Omit<ProbeProgram, 'hostRoot'>
}

/** A namespace that is attached as a pod's is, and the program in it. */
export interface Sandbox {
  readonly network: string
  /** What ADD returned. */
  readonly result: JsonObject
  ask(request: string, signal: AbortSignal): Promise<string>
}

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
    return await withAttachment(options, { list, netns: probe.netns, signal }, result =>
      work({ network: list.name, result, ask: (request, until) => probe.ask(request, until) }),
    )
  } finally {
    await probe.end()
  }
}
