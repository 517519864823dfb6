import { createInstallDuty } from '../install/duty.ts'
import { startLoop } from '../runtime/loop.ts'
import { installs, type NodeContext } from './context.ts'
import type { Running } from './duties.ts'

/** Keeps kactus in the host's folders. */
export function installKactus(node: NodeContext): Running | undefined {
  const { ports, settings, log, credentials, kube, bulletin, installed } = node
  if (!installs(settings)) return undefined
  const duty = (wake: () => void) =>
    createInstallDuty({
      settings: settings.install,
      agentSocket: settings.agent.socket,
      binary: ports.kactusBinary,
      namespace: settings.podNamespace,
      credentials,
      kube,
      log,
      signal: ports.ended,
      wake,
      onState(state) {
        bulletin.showInstall(state)
        installed.set(state)
      },
    })
  return startLoop(duty, node.loop)
}
