import type { Settings } from '../config/settings.ts'
import { createVerdictBoard, type VerdictBoard } from '../gate/board.ts'
import type { InstallState } from '../install/duty.ts'
import { type Informer, startInformer } from '../kube/informer.ts'
import type { KubeNode } from '../kube/node.ts'
import { type NodeNetwork, nodeNetworksPath, parseNodeNetwork } from '../kube/node-network.ts'
import { followOwnNode, type OwnNode } from '../kube/own-node.ts'
import { type NodeObjects, startObjectCache } from '../lookup/cache.ts'
import { createWorkerMetrics } from '../lookup/metrics.ts'
import type { Logger } from '../runtime/log.ts'
import type { MemoryKeeper } from '../runtime/memory.ts'
import type { ProcessPorts } from '../runtime/process.ts'
import type { Role } from '../runtime/role.ts'
import { createSharedValue, type SharedValue } from '../runtime/shared-value.ts'
import type { StandingState } from '../sandbox/standing-duty.ts'
import type { TimedVerdict } from '../verify/status.ts'
import type { MeshState } from '../wireguard/state.ts'

/** What the process gives to the duties of its node. */
export interface NodeParts extends Omit<Role, 'log'> {
  readonly log: Logger
  readonly ports: ProcessPorts
  readonly memory: MemoryKeeper
}

/** Where the duties of a node meet: what one finds out, others follow. They know nothing else of each other. */
export interface NodeContext extends NodeParts {
  /** The own Node as the API has it. */
  readonly ownNode: OwnNode & Pick<SharedValue<KubeNode | undefined>, 'onChange'>
  /** The pods of this node and the networks; undefined = nobody needs them. */
  readonly objects: NodeObjects | undefined
  /** What all nodes publish of themselves. */
  readonly networks: Informer<NodeNetwork>
  /** This node's part in the mesh, as the newest look shows it; undefined = not looked at yet. */
  readonly mesh: SharedValue<MeshState | undefined>
  /** The verdict that counts. */
  readonly board: VerdictBoard
  /** The newest verdict; undefined = none has ended. */
  readonly verdict: SharedValue<TimedVerdict | undefined>
  /** Whether the start is over. */
  readonly calm: SharedValue<boolean>
  /** The standing sandbox; undefined = nobody has tried to make it yet. */
  readonly standing: SharedValue<StandingState | undefined>
  /** How far the CNI files are; undefined = not looked at yet. */
  readonly installed: SharedValue<InstallState | undefined>
  /** Set when something waits for one more verification; `attached`: the network attaches sandboxes again. */
  readonly wanted: SharedValue<'verification' | 'attached' | undefined>
}

export function createNodeContext(parts: NodeParts): NodeContext {
  const { settings, kube, loop } = parts
  const seen = createSharedValue<KubeNode | undefined>(undefined)
  return {
    ...parts,
    ownNode: {
      ...followOwnNode({ ...loop, api: kube, name: settings.nodeName, onChange: seen.set }),
      onChange: seen.onChange,
    },
    objects: startObjects(parts),
    networks: startInformer({
      ...loop,
      api: kube,
      path: nodeNetworksPath,
      query: {},
      parse: parseNodeNetwork,
      begins: 'stream',
      optional: true,
    }),
    mesh: createSharedValue<MeshState | undefined>(undefined),
    board: createVerdictBoard(settings.gate, loop.clock),
    verdict: createSharedValue<TimedVerdict | undefined>(undefined),
    calm: createSharedValue(false),
    standing: createSharedValue<StandingState | undefined>(undefined),
    installed: createSharedValue<InstallState | undefined>(undefined),
    wanted: createSharedValue<'verification' | 'attached' | undefined>(undefined),
  }
}

/** A dry run leaves nothing on the host, no socket either. */
function startObjects({ settings, kube, metrics, loop }: NodeParts): NodeObjects | undefined {
  const { agent, gate, podagent, nodeName } = settings
  if (gate.dryRun || (agent.socket === '' && !podagent.enabled)) return undefined
  return startObjectCache({ ...loop, api: kube, nodeName, onWorkers: createWorkerMetrics(metrics) })
}

/** A dry run writes nothing, to the host neither. */
export function installs({ install, gate }: Settings): boolean {
  return install.enabled && !gate.dryRun
}
