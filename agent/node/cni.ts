import { findRuntime } from '../podagent/runtime-socket.ts'
import { readSystemConf } from '../podagent/system-conf.ts'
import { onHost } from '../runtime/host-root.ts'
import { sandboxPaths } from '../sandbox/paths.ts'
import { createPluginRunner } from '../sandbox/plugins.ts'
import type { NodeContext } from './context.ts'

/** Longer than kactus gives one delegate. */
const limitMs = 120_000

/** The node's own CNI and its container runtime, for those who call them as kubelet's runtime does. */
export function cniOf({ settings: { install, podagent }, ports: { self } }: NodeContext) {
  const here = onHost(install.hostRoot)
  return {
    here,
    conf: () => readSystemConf(sandboxPaths(install).confFolder, install.hostRoot),
    runtime: findRuntime({ told: podagent.criSocket, here, self }),
    runner: (signal: AbortSignal) => createPluginRunner(sandboxPaths(install), { limitMs, signal }),
  }
}
