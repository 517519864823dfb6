import { join } from 'node:path'
import type { ApiServer } from '../cluster/api-server.ts'
import { createAll, readManifests } from '../cluster/manifests.ts'
import { account } from './agent.ts'
import { ask } from './objects.ts'

const manifests = join(import.meta.dirname, '../../daemonset')

/** What an administrator applies before the agents start; rights only where the server knows rights. */
const always = ['namespace.yaml', 'networks-crd.yaml', 'nodenetworks-crd.yaml']
const rights = ['agent-rbac.yaml', 'agent-policy.yaml', 'kactus-rbac.yaml']
const networks = ['examples/green-net.yaml', 'examples/blue-net.yaml']

/** Applies the product's own manifests, the DaemonSet aside, and its example networks green and blue. */
export async function applyManifests(api: ApiServer): Promise<void> {
  for (const file of [...always, ...rights, ...networks]) {
    const objects = await readManifests(join(manifests, file))
    const known = objects.filter(({ apiVersion }) => api.kind === 'real' || !/^(rbac|admission)/.test(apiVersion))
    await createAll(api.admin, known)
  }
}

/** Agents of the lab have a kubeconfig, and kactus then goes by the agent's own account. */
export async function allowFallback(api: ApiServer): Promise<void> {
  const body = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'lab-kactus' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'nopal-kactus' },
    subjects: [{ kind: 'ServiceAccount', name: account.name, namespace: account.namespace }],
  }
  await ask(api, { method: 'POST', path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', body })
}
