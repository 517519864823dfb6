import { KubeError } from '../kube/api.ts'
import type { TlsHandshake } from './api-path-check.ts'
import { type Check, type Probe, skipped } from './check.ts'
import type { KubernetesService } from './kubernetes-service.ts'
import type { CheckPorts } from './ports.ts'

/** What the API check asks for. */
export interface ApiCheckOptions {
  readonly limitMs: number
  readonly ports: Pick<CheckPorts, 'kube'>
  /** Tries the way to the API; absent = the read alone must do. */
  readonly handshake?: TlsHandshake | undefined
  /** Reads Service default/kubernetes; shared with the checks that need what it says. */
  readService(probe: Probe): Promise<KubernetesService>
}

/**
 * Reads Service default/kubernetes: unlike `/version` nobody may do so without credentials, it is a right the agent
 * cannot do without, every cluster has one, and other checks need what it says, so it costs no request of its own.
 * What the API said before may stand in for an answer while a watch is open, and a watch can be dead for two minutes
 * before it is known to be: so the way there is walked each time, as far as TLS, which is no request either.
 */
export function createApiCheck(options: ApiCheckOptions): Check {
  const { handshake, ports } = options
  const { kube } = ports
  return {
    code: 'api',
    title: 'Kubernetes API',
    dependsOn: [],
    limitMs: options.limitMs,
    overdue: 'TimedOut',
    async run(probe) {
      if (kube === undefined) return [skipped('Kubernetes API', 'NoCluster', 'no cluster is known')]
      const ask = async () => {
        const known = await options.readService(probe).catch(orMissing)
        if (handshake !== undefined) await probe.within(handshake)
        const message =
          known === undefined ? 'let in; there is no Service default/kubernetes' : 'let in with the own credentials'
        return { result: 'pass', message } as const
      }
      return [await probe.find(kube.server, ask)]
    },
  }
}

/** Who may learn that the Service is missing has been let in: that is all this check asks. */
function orMissing(error: unknown): undefined {
  if (error instanceof Error && error.cause instanceof KubeError && error.cause.code === 'NotFound') return undefined
  throw error
}
