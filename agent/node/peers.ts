import { startPeerResponder } from '../verify/peers/responder.ts'
import type { NodeContext } from './context.ts'
import type { Running } from './duties.ts'

/** Answers other agents' probes. Without the port this agent is a silent peer to others, and works all the same. */
export async function answerPeers({ settings, log }: NodeContext): Promise<Running | undefined> {
  const { listen } = settings.agent
  try {
    const responder = await startPeerResponder(listen)
    return { stop: () => responder.close() }
  } catch (error) {
    log.warn({ err: error, port: listen.port }, "other agents' probes get no answer: the UDP port cannot be had")
    return undefined
  }
}
