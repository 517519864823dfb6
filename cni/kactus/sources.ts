import { messageOf } from '../host/system-error.ts'
import { KactusCode } from '../networks/codes.ts'
import { CniError } from '../spec/errors.ts'
import { askAgent, isAgentSocket } from './agent-lookup.ts'
import type { Conf } from './config.ts'
import type { KubeReader } from './kube.ts'
import type { KubeAccess } from './kubeconfig.ts'
import type { LookupSources } from './lookup.ts'
import type { Environment } from './request.ts'

const AGENT_FIRST_BYTE_MS = 250
const AGENT_TOTAL_MS = 1000
const API_TOTAL_MS = 20_000

/** The agent of this node and the API, which is loaded only when it is asked. */
export function lookupSources(conf: Conf, env: Environment, uid: number): LookupSources {
  let reader: Promise<KubeReader> | undefined
  return {
    async agent(question) {
      if (conf.agentSocket === '') return undefined
      const limits = { firstByteMs: AGENT_FIRST_BYTE_MS, totalMs: AGENT_TOTAL_MS }
      return askAgent(question, { socket: conf.agentSocket, uid, ...limits })
    },
    api() {
      reader ??= openApi(conf, env)
      return reader
    },
  }
}

/**
 * Looks whether there is an agent to ask or an account for the API, and asks neither.
 * @throws CniError
 */
export async function canLookUp(conf: Conf, env: Environment, uid: number): Promise<void> {
  if (conf.agentSocket === '' || !isAgentSocket(conf.agentSocket, uid)) await readAccess(conf, env)
}

async function openApi(conf: Conf, env: Environment): Promise<KubeReader> {
  const [access, { openKube }] = await Promise.all([readAccess(conf, env), import('./kube.ts')])
  return openKube(access, AbortSignal.timeout(API_TOTAL_MS))
}

async function readAccess(conf: Conf, env: Environment): Promise<KubeAccess> {
  const { readInCluster, readKubeconfig } = await import('./kubeconfig.ts')
  try {
    const inCluster = { host: env.KUBERNETES_SERVICE_HOST, port: env.KUBERNETES_SERVICE_PORT }
    return await (conf.kubeconfig === undefined ? readInCluster(inCluster) : readKubeconfig(conf.kubeconfig))
  } catch (error) {
    const message = messageOf(error)
    throw new CniError(KactusCode.LookupImpossible, `no way to the Kubernetes API: ${message}`, { cause: error })
  }
}
