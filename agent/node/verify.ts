import { describeVerdict } from '../gate/condition.ts'
import { pause } from '../runtime/clock.ts'
import type { Running } from '../runtime/duty.ts'
import type { Logger } from '../runtime/log.ts'
import { startLoop } from '../runtime/loop.ts'
import type { Verdict } from '../verdict/verdict.ts'
import { createVerifyDuty } from '../verify/duty.ts'
import { createVerdictMetrics } from '../verify/metrics.ts'
import { podAddressesOf } from '../verify/pods/addresses.ts'
import { createVerdictStatus } from '../verify/status.ts'
import { createVerification, type Verification } from '../verify/verification.ts'
import type { NodeContext } from './context.ts'
import { createMeshSource } from './mesh-check.ts'
import { untilKnown } from './networks.ts'
import { createStandIn } from './standing.ts'

/** Verifies the network of the node, again and again, and whenever its last verdict is called into doubt. */
export function verifyNetwork(node: NodeContext): Running {
  const { settings, log, board, ownNode } = node
  const { recordVerdict, recordRetry } = createVerdictMetrics(node.metrics, settings.nodeName)
  const sayVerdict = createVerdictSayer(log)
  const verification = createNodeVerification(node)
  let outdated = new AbortController()
  const duty = createVerifyDuty({
    settings: settings.verify,
    async run(signal) {
      outdated = new AbortController()
      const { signal: calledOff } = outdated
      const ticket = board.begin()
      try {
        const verdict = await verification.run(AbortSignal.any([signal, calledOff]))
        return board.finish(ticket, verdict) ? verdict : undefined
      } catch (error) {
        if (calledOff.aborted && !signal.aborted) return undefined
        throw error
      }
    },
    onVerdict(verdict) {
      const timeMs = node.loop.clock.now()
      recordVerdict(verdict, timeMs)
      sayVerdict(verdict)
      node.verdict.set({ verdict, timeMs })
      node.memory.rest()
    },
    onRetry: recordRetry,
  })
  node.status.add(createVerdictStatus(node.verdict.current))
  const loop = startLoop(duty, node.loop)
  ownNode.onChange(seen => {
    const doubt = board.observe(seen)
    if (doubt === undefined) return
    log.info({ reason: doubt }, 'verifies again')
    loop.wake()
  })
  node.wanted.onChange(why => {
    // A run that hangs where the network did not attach would hold up the one that finds it well.
    if (why === 'attached' && verification.isAttaching()) outdated.abort(new Error('the network attaches again'))
    loop.wake()
  })
  return loop
}

function createNodeVerification(node: NodeContext): Verification {
  return createVerification({
    ...node,
    process: node.ports,
    dryRun: node.settings.gate.dryRun,
    live: node.ownNode.live,
    wireguard: createMeshSource(node),
    podAddresses: createPodAddresses(node),
    standsBy: createStandIn(node),
  })
}

/** The checks of peers wait for it too, and need none of it. */
const knownMs = 1_000

/** Where other nodes' standing sandboxes are, once it is known what the nodes publish; none where that takes too long. */
function createPodAddresses({ networks, loop }: NodeContext) {
  const known = untilKnown(networks)
  return async (signal: AbortSignal) => {
    if (!networks.synced()) await Promise.race([known, pause(loop.clock, knownMs, signal)])
    return podAddressesOf(networks.values())
  }
}

/** Logs a verdict that differs from the one before; the same one again is no news. */
function createVerdictSayer(log: Logger): (verdict: Verdict) => void {
  let said = ''
  return verdict => {
    const { reason, message } = describeVerdict(verdict)
    if (said === `${reason} ${message}`) return
    said = `${reason} ${message}`
    const fields = { reason, seconds: verdict.seconds }
    if (verdict.passed) log.info(fields, 'network verified')
    else log.warn({ ...fields, checks: message }, 'network failed its verification')
  }
}
