import type { Running } from '../runtime/duty.ts'
import { createListenDuty } from '../runtime/listen-duty.ts'
import { startLoop } from '../runtime/loop.ts'
import { startPeerResponder } from '../verify/peers/responder.ts'
import type { NodeContext } from './context.ts'

/** Answers other agents' probes. Until it has the port this agent is a silent peer to others, and works all the same. */
export function answerPeers({ settings, log, loop }: NodeContext): Running {
  const { listen } = settings.agent
  return startLoop(createListenDuty({ name: 'peers', listen, open: () => startPeerResponder(listen), log }), loop)
}
