import { createInstallDuty } from '../install/duty.ts'
import { createInstallStatus } from '../install/status.ts'
import type { Running } from '../runtime/duty.ts'
import { startLoop } from '../runtime/loop.ts'
import { installs, type NodeContext } from './context.ts'

/** Keeps kactus in the host's folders. */
export function installKactus(node: NodeContext): Running | undefined {
  const { ports, settings, log, credentials, kube, installed, ownNode } = node
  node.status.add(createInstallStatus(installs(settings), installed.current))
  if (!installs(settings)) return undefined
  const duty = (wake: () => void) =>
    createInstallDuty({
      settings: settings.install,
      agentSocket: settings.agent.socket,
      binary: ports.kactusBinary,
      namespace: settings.podNamespace,
      credentials,
      kube,
      node: { name: settings.nodeName, uid: () => ownNode.current()?.uid },
      log,
      signal: ports.ended,
      wake,
      onState: installed.set,
    })
  return startLoop(duty, node.loop)
}
