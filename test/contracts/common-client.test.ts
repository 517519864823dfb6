import { CoreV1Api, KubeConfig, PatchStrategy, RbacAuthorizationV1Api, setHeaderOptions } from '@kubernetes/client-node'
import t from 'tap'
import { startApiServer } from '../cluster/api-server.ts'

// The client most JavaScript programs use is a judge of its own: what it can do on the real server it can do on ours.
for (const kind of ['real', 'embedded'] as const) {
  t.test(`the common client works on the ${kind} server`, async t => {
    const server = await startApiServer({ kind, run: `client-${kind}` })
    t.teardown(() => server.stop())
    const config = new KubeConfig()
    config.loadFromFile(await server.kubeconfigFor('kube-system', 'client'))
    await allowNodes(server.adminKubeconfig)
    const api = config.makeApiClient(CoreV1Api)

    const made = await api.createNode({ body: { metadata: { name: 'n1' }, spec: { podCIDR: '10.42.1.0/24' } } })
    t.ok(made.metadata?.uid)
    t.strictSame(
      (await api.listNode()).items.map(node => node.metadata?.name),
      ['n1'],
    )
    const taint = { key: 'example.com/a', effect: 'NoSchedule' }
    const patched = await api.patchNode(
      { name: 'n1', body: [{ op: 'replace', path: '/spec/taints', value: [taint] }] },
      setHeaderOptions('Content-Type', PatchStrategy.JsonPatch),
    )
    t.match(patched.spec?.taints, [taint])
    await t.rejects(api.readNode({ name: 'n2' }), { code: 404 })
    await api.deleteNode({ name: 'n1' })
    t.strictSame((await api.listNode()).items, [])
  })
}

/** Lets the account do everything with nodes; the embedded server lets everybody. */
async function allowNodes(adminKubeconfig: string): Promise<void> {
  const config = new KubeConfig()
  config.loadFromFile(adminKubeconfig)
  await config.makeApiClient(RbacAuthorizationV1Api).createClusterRoleBinding({
    body: {
      metadata: { name: 'client' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', namespace: 'kube-system', name: 'client' }],
    },
  })
}
