import { findMarks } from '../gate/taints.ts'
import type { Running } from '../runtime/duty.ts'
import type { Logger } from '../runtime/log.ts'
import { startLoop } from '../runtime/loop.ts'
import { sandboxPaths } from '../sandbox/paths.ts'
import { createSandboxRetry } from '../sandbox/retry.ts'
import { withSandbox } from '../sandbox/sandbox.ts'
import type { Verdict } from '../verdict/verdict.ts'
import type { NodeContext } from './context.ts'

/** Has the network verified anew as soon as it attaches again, where nothing but that was missing to open the node. */
export function retrySandbox(node: NodeContext): Running | undefined {
  const { ports, settings, board } = node
  if (!settings.verify.from.includes('sandbox') || settings.gate.dryRun) return undefined
  const options = { paths: sandboxPaths(settings.install), program: ports, log: quietly(node.log) }
  const duty = createSandboxRetry({
    wanted: () => isOpen(node) === false && lacksSandbox(board.current()?.verdict),
    attach: (limitMs, signal) => withSandbox({ ...options, limitMs }, signal, async () => true).catch(() => false),
    onAttached: () => node.wanted.set('attached'),
    clock: node.loop.clock,
  })
  const loop = startLoop(duty, node.loop)
  for (const followed of [node.ownNode, node.verdict]) followed.onChange(() => loop.wake())
  return loop
}

/** Whether the Node shows that pods may come: undefined = it has not been seen. */
export function isOpen({ ownNode, settings }: NodeContext): boolean | undefined {
  const seen = ownNode.current()
  const marks = seen && findMarks(seen, settings.gate)
  return marks && marks.taintAt.length === 0 && marks.labelled
}

/** Whether a verdict is as it is because the network attached no sandbox; whoever may not make any need not try again. */
export function lacksSandbox(verdict: Verdict | undefined): boolean {
  const found = verdict?.checks.find(({ code }) => code === 'sandbox')
  return found?.result === 'fail' || found?.reason === 'NoNetwork'
}

/** What a try a second has to say, the verifications have said already. */
function quietly(log: Logger): Logger {
  const debug: Logger['debug'] = (fields, message) => log.debug(fields, message)
  return { debug, info: debug, warn: debug, error: debug, child: fields => quietly(log.child(fields)) }
}
