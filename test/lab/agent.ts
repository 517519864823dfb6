import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ApiServer } from '../cluster/api-server.ts'
import type { Program } from '../machine/program.ts'
import { outsideName } from './dns.ts'
import type { LabNode } from './node.ts'
import { services } from './services.ts'

const dist = join(import.meta.dirname, '../../dist')

/** Namespace and account of the agents, as in daemonset/. */
export const account = { namespace: 'nopal', name: 'nopal' } as const

/** The two executables that ./build.sh can make of kactus. */
export type KactusBuild = 'kactus' | 'kactus-pkg'

export interface AgentOptions {
  /** Text of /etc/nopal/nopal.ini. */
  readonly settings?: string
  /** Which executable the agent finds beside itself. */
  readonly kactus?: KactusBuild
  /** Its way to the API server; straight there unless told. */
  readonly kubeconfig?: string
  /** It runs as in a pod of its DaemonSet, with this token of its account. */
  readonly podToken?: string
}

/** Quick to look again, so that a test sees a change soon; everything else as shipped. */
export const defaultSettings = `[verify]
dns-domains = kubernetes.default.svc.cluster.local, ${outsideName.name}
check-timeout = 2s
interval = 1s
`

/** Starts the built agent on a node as its DaemonSet would: default paths, its own account, the cluster's name server. */
export async function startAgent(api: ApiServer, node: LabNode, options: AgentOptions = {}): Promise<Program> {
  const program = programFor(node, options.kactus ?? 'kactus')
  const file = node.path('/etc/nopal/nopal.ini')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, options.settings ?? defaultSettings)
  const env = { ...environmentOf(node), ...(await identityOf(api, node, options)) }
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const nopal = [node.enterScript, 'env', ...words, process.execPath, program, '"$@"']
  writeFileSync(node.nopalScript, `#!/bin/sh\nexec ${nopal.join(' ')}\n`, { mode: 0o755 })
  return node.start({ name: 'agent', argv: [process.execPath, program, 'agent'], env })
}

/** Whether ./build.sh has made this executable. */
export function isBuilt(name: string): boolean {
  return existsSync(join(dist, name))
}

/** The agent with its kactus beside it: in dist/, or, for another build of kactus, in a folder of the node's own. */
function programFor(node: LabNode, kactus: KactusBuild): string {
  for (const name of ['nopal.js', 'client-node.js', kactus]) {
    if (!isBuilt(name)) throw new Error(`dist/${name} is missing: run ./build.sh`)
  }
  if (kactus === 'kactus') return join(dist, 'nopal.js')
  const folder = join(dirname(node.enterScript), 'dist')
  mkdirSync(folder, { recursive: true })
  for (const name of ['nopal.js', 'client-node.js', `netlink-${process.arch}.node`])
    copyAnew(join(dist, name), join(folder, name))
  copyAnew(join(dist, kactus), join(folder, 'kactus'))
  return join(folder, 'nopal.js')
}

/** An agent that runs from the older file keeps it: to cut a loaded library short would end that agent by SIGSEGV. */
function copyAnew(from: string, to: string): void {
  rmSync(to, { force: true })
  copyFileSync(from, to)
}

/** A kubeconfig, or the files that kubelet gives to a pod and the name that it has. */
async function identityOf(api: ApiServer, node: LabNode, options: AgentOptions): Promise<Record<string, string>> {
  if (options.podToken === undefined) {
    const made = options.kubeconfig ?? (await api.kubeconfigFor(account.namespace, account.name, node.name))
    return { KUBECONFIG: made }
  }
  const folder = node.path('/run/secrets/kubernetes.io/serviceaccount')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'token'), options.podToken)
  copyFileSync(api.caFile, join(folder, 'ca.crt'))
  return { POD_NAME: `${account.name}-x7k2p` }
}

/** What daemonset/ tells the agent's engine. */
export const engineEnvironment = {
  NODE_OPTIONS: '--jitless',
  GLIBC_TUNABLES: 'glibc.malloc.arena_max=1:glibc.malloc.mmap_threshold=65536:glibc.malloc.trim_threshold=65536',
} as const

/** What a pod of the agent's DaemonSet finds in its environment. */
function environmentOf(node: LabNode): Record<string, string> {
  return {
    NODE_NAME: node.name,
    POD_NAMESPACE: account.namespace,
    KUBERNETES_SERVICE_HOST: services.api,
    KUBERNETES_SERVICE_PORT: '443',
    ...engineEnvironment,
  }
}
