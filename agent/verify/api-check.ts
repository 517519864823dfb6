import { KubeError } from '../kube/api.ts'
import type { Answer, Check } from './check.ts'
import { CheckFault } from './check.ts'
import type { CheckPorts } from './ports.ts'
import { toKubeFault } from './reasons.ts'

/** What the API check asks for. */
export interface ApiCheckOptions {
  readonly node: string
  readonly limitMs: number
  readonly ports: Pick<CheckPorts, 'kube'>
}

/**
 * Reads the own Node: unlike `/version` nobody may do so without credentials, it is a right the agent
 * cannot do without, and it writes nothing.
 */
export function createApiCheck(options: ApiCheckOptions): Check {
  const { kube } = options.ports
  return {
    code: 'api',
    title: 'Kubernetes API',
    severity: 4,
    dependsOn: [],
    limitMs: options.limitMs,
    overdue: 'TimedOut',
    async run(probe) {
      if (kube === undefined) {
        return [
          { target: 'Kubernetes API', result: 'skip', reason: 'NoCluster', message: 'no cluster is known', seconds: 0 },
        ]
      }
      const path = `/api/v1/nodes/${encodeURIComponent(options.node)}`
      const question = (signal: AbortSignal) =>
        kube.request({ method: 'GET', path, signal, timeoutMs: options.limitMs })
      const ask = async () => judge(await probe.within(question).catch(orNotFound), options.node)
      return [await probe.find(kube.server, ask)]
    },
  }
}

const missing = Symbol('no such node')

/** Who may learn that the Node is missing has been let in: that is all this check asks. */
function orNotFound(error: unknown): unknown {
  if (error instanceof KubeError && error.code === 'NotFound') return missing
  throw toKubeFault(error)
}

function judge(reply: unknown, node: string): Answer {
  if (reply === missing) return { result: 'pass', message: `let in; there is no node ${node}` }
  if (nameOf(reply) === node) return { result: 'pass', message: 'let in with the own credentials' }
  // Something that answers 200 to anything, such as a proxy or a login page, is no API server.
  throw new CheckFault('BadReply', 'answered with something else than the node')
}

function nameOf(reply: unknown): unknown {
  if (typeof reply !== 'object' || reply === null || !('metadata' in reply)) return undefined
  const { metadata } = reply
  return typeof metadata === 'object' && metadata !== null && 'name' in metadata ? metadata.name : undefined
}
