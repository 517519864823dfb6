import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ApiServer } from '../cluster/api-server.ts'
import type { LabChild } from './child.ts'
import { outsideName } from './dns.ts'
import type { LabNode } from './node.ts'
import { services } from './services.ts'

const dist = join(import.meta.dirname, '../../dist')

/** Namespace and account of the agents, as in daemonset/. */
export const agentAccount = { namespace: 'nopal', name: 'nopal' } as const

export interface AgentOptions {
  /** Text of /etc/nopal/nopal.ini. */
  readonly settings?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Quick to look again, so that a test sees a change soon; everything else as shipped. */
export const defaultSettings = `[verify]
dns-domains = kubernetes.default.svc.cluster.local, ${outsideName.name}
check-timeout = 2s
interval = 1s
`

/** Starts the built agent on a node as its DaemonSet would: default paths, its own account, the cluster's name server. */
export async function startAgent(api: ApiServer, node: LabNode, options: AgentOptions = {}): Promise<LabChild> {
  const program = builtFile('nopal.js')
  builtFile('kactus')
  const file = node.path('/etc/nopal/nopal.ini')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, options.settings ?? defaultSettings)
  return node.start('agent', [process.execPath, program, 'agent'], {
    ...(await agentEnvironment(api, node)),
    ...options.env,
  })
}

/** What a pod of the agent's DaemonSet finds in its environment. */
export async function agentEnvironment(api: ApiServer, node: LabNode): Promise<Record<string, string>> {
  return {
    NODE_NAME: node.name,
    POD_NAMESPACE: agentAccount.namespace,
    KUBECONFIG: await api.kubeconfigFor(agentAccount.namespace, agentAccount.name),
    KUBERNETES_SERVICE_HOST: services.api,
    KUBERNETES_SERVICE_PORT: '443',
  }
}

/** A file that ./build.sh makes. */
export function builtFile(name: string): string {
  const file = join(dist, name)
  if (!existsSync(file)) throw new Error(`dist/${name} is missing: run ./build.sh`)
  return file
}
