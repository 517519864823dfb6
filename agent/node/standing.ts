import type { Running } from '../runtime/duty.ts'
import { startLoop } from '../runtime/loop.ts'
import { describeNetwork, findNetwork } from '../sandbox/network.ts'
import { sandboxPaths } from '../sandbox/paths.ts'
import { withStanding } from '../sandbox/standing.ts'
import { createStandingDuty } from '../sandbox/standing-duty.ts'
import { createStandingStatus } from '../sandbox/standing-status.ts'
import { createPeerPort } from '../verify/peers/exchange.ts'
import { isReached } from '../verify/pods/check.ts'
import { podPort } from '../verify/pods/pod-port.ts'
import { installs, type NodeContext } from './context.ts'
import { isOpen, lacksSandbox } from './sandbox.ts'

const attachMs = 10_000
const answerMs = 1_500

/** Keeps a standing sandbox, which other nodes' sandboxes ask. */
export function keepStanding(node: NodeContext): Running {
  const { ports, settings, log, standing, calm, installed, verdict, loop } = node
  const paths = sandboxPaths(settings.install)
  const { verify, gate } = settings
  const isAsked = verify.podPath && verify.from.includes('sandbox') && !gate.dryRun
  const isInstalled = () => !installs(settings) || installed.current()?.installed === true
  const stands = () => (standing.current()?.addresses.length ?? 0) > 0
  // A network that attaches again may have one address: that is for the sandbox that opens the node.
  const waits = () => !stands() && isOpen(node) === false && lacksSandbox(verdict.current()?.verdict)
  const duty = createStandingDuty({
    wanted() {
      if (!calm.current() || waits()) return undefined
      // Or it would be attached by the network that kactus is about to wrap, and once more by kactus.
      return isAsked && (isInstalled() || stands())
    },
    hold: (signal, work) => withStanding({ paths, program: ports, log, limitMs: attachMs }, signal, work),
    network: async () => describeNetwork(await findNetwork(paths)),
    answers,
    onState: standing.set,
    clock: loop.clock,
    log,
  })
  node.status.add(createStandingStatus(standing.current))
  const running = startLoop(duty, loop)
  for (const followed of [calm, installed]) followed.onChange(running.wake)
  verdict.onChange(() => {
    if (!stands()) running.wake()
  })
  return running
}

/** Whether one more sandbox need not be attached: the node is open, and packets of full size come to the standing one. */
export function createStandIn(node: NodeContext): (signal: AbortSignal) => Promise<boolean> {
  const port = createPeerPort(node.settings.agent.listen.port)
  return async signal => {
    const [address] = node.standing.current()?.addresses ?? []
    return (
      address !== undefined && isOpen(node) === true && isReached(address, { pods: podPort, port }, limited(signal))
    )
  }
}

function answers(address: string, signal: AbortSignal): Promise<boolean> {
  return podPort.connect(address, limited(signal)).then(
    () => true,
    () => false,
  )
}

function limited(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(answerMs)])
}
