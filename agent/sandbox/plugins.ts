import { PluginProcesses } from '../../cni/host/plugin-process.ts'
import { type AttachTo, addChain } from '../../cni/spec/chain.ts'
import type { ConfList } from '../../cni/spec/conf.ts'
import { CniError } from '../../cni/spec/errors.ts'
import type { JsonObject } from '../../cni/spec/json.ts'
import type { PluginRunner } from '../../cni/spec/plugin.ts'
import { SandboxError } from './errors.ts'
import type { SandboxPaths } from './paths.ts'
import { steadyWords } from './words.ts'

/** What pods' runtimes call their first interface. */
const sandboxInterface = 'eth0'

/** Codes of faults that no plugin spoke of itself. */
const codes = { notFound: 101, failed: 102 } as const

/** What ends a plugin that does not end by itself. */
export interface RunLimits {
  /** Of one run of one plugin. */
  readonly limitMs: number
  readonly signal?: AbortSignal
}

/**
 * Runs the host's plugins as the host's runtime does. Where the host's files are mounted below a root, a plugin runs
 * with that as its root: it then finds its sockets, its state and its own libraries where it looks for them.
 */
export function createPluginRunner(paths: SandboxPaths, { limitMs, signal }: RunLimits): PluginRunner {
  const { hostRoot, binFolder, binDirOnHost } = paths
  const onHost = (path: string) => path.slice(hostRoot.length)
  return new PluginProcesses({
    folders: [binFolder],
    cniPath: binDirOnHost,
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    timeoutMs: limitMs,
    ...(signal === undefined ? {} : { signal }),
    stderr: () => undefined,
    codes,
    ...(hostRoot === '' ? {} : { launch: path => ['unshare', `--root=${hostRoot}`, '--wd=/', '--', onHost(path)] }),
  })
}

/** A sandbox as plugins are told of it; without a namespace it is gone already. */
export function attachmentOf(containerId: string, netns = ''): AttachTo {
  // There is no pod, so nothing is said of one; what is not known is to be ignored, as kubelet says too.
  return { containerId, netns, ifname: sandboxInterface, args: 'IgnoreUnknown=1', capabilityArgs: {} }
}

/** How a sandbox is attached. */
export interface Attaching {
  readonly runner: PluginRunner
  /** What a run of a plugin may take. */
  readonly limitMs: number
}

/**
 * Attaches a namespace to a network, loopback included. `delChain` undoes it, also where it ended half-way.
 * @throws SandboxError: SandboxTimedOut, or SandboxRefused with the plugin's own words
 */
export async function attach({ runner, limitMs }: Attaching, list: ConfList, to: AttachTo): Promise<JsonObject> {
  // Runtimes bring loopback up by a plugin of that name where there is one, and do without it elsewhere.
  const loopback: ConfList = { ...list, name: 'cni-loopback', plugins: [{ type: 'loopback' }] }
  await addChain(runner, loopback, { ...to, ifname: 'lo' }).catch(() => undefined)
  const startedMs = performance.now()
  try {
    return await addChain(runner, list, to)
  } catch (error) {
    if (!(error instanceof CniError)) throw error
    const code = performance.now() - startedMs >= limitMs ? 'SandboxTimedOut' : 'SandboxRefused'
    throw new SandboxError(code, `network ${list.name}: ${wordsOf(error, to)}`, error)
  }
}

/** What a plugin said of its failure. */
function wordsOf({ message, details }: CniError, to: AttachTo): string {
  return steadyWords([message, details].filter(Boolean).join(': '), to)
}
