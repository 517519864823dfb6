import type { Running } from '../runtime/duty.ts'
import { awaitCalm } from './calm.ts'
import type { NodeContext } from './context.ts'
import { showVerdict } from './gate.ts'
import { installKactus } from './install.ts'
import { answerKactus } from './lookup.ts'
import { guardMesh } from './mesh.ts'
import { publishNetwork } from './node-network.ts'
import { answerPeers } from './peers.ts'
import { serveRunningPods } from './podagent.ts'
import { retrySandbox } from './sandbox.ts'
import { keepStanding } from './standing.ts'
import { sweepLeftovers } from './sweep.ts'
import { verifyNetwork } from './verify.ts'

/** Starts one duty of a node; undefined = the settings switch it off. */
export type NodeDuty = (node: NodeContext) => Running | undefined | Promise<Running | undefined>

/** All that an agent does on its node. Of two that follow the same thing the first in the list hears of it first. */
const nodeDuties: readonly NodeDuty[] = [
  answerPeers,
  installKactus,
  answerKactus,
  serveRunningPods,
  sweepLeftovers,
  guardMesh,
  verifyNetwork,
  retrySandbox,
  showVerdict,
  awaitCalm,
  keepStanding,
  publishNetwork,
]

/** Starts everything that runs on a node. */
export async function startNodeDuties(node: NodeContext): Promise<Running> {
  const running: Running[] = [node.ownNode, node.networks, ...(node.objects === undefined ? [] : [node.objects])]
  for (const start of nodeDuties) {
    const started = await start(node)
    if (started !== undefined) running.push(started)
  }
  return { stop: () => Promise.all(running.map(part => part.stop())) }
}
