import t from 'tap'
import type { AuditLine } from '../../cluster/audit.ts'
import type { Manifest } from '../../cluster/manifests.ts'
import { compareRights, formatRights, grantsOf, requestOf } from '../../e2e/rights.ts'

const role = (kind: string, name: string, rules: readonly object[], namespace?: string) =>
  ({ apiVersion: 'v1', kind, metadata: { name, ...(namespace && { namespace }) }, rules }) as Manifest

const binding = (kind: string, refKind: string, name: string, namespace?: string) =>
  ({
    apiVersion: 'v1',
    kind,
    metadata: { name, ...(namespace && { namespace }) },
    roleRef: { kind: refKind, name },
    subjects: [{ kind: 'ServiceAccount', name: 'agent', namespace: 'nopal' }],
  }) as Manifest

const objects = [
  role('ClusterRole', 'a', [{ apiGroups: [''], resources: ['nodes', 'nodes/status'], verbs: ['get', 'patch'] }]),
  role('Role', 'b', [{ apiGroups: [''], resources: ['services'], verbs: ['get'], resourceNames: ['k'] }], 'default'),
  binding('ClusterRoleBinding', 'ClusterRole', 'a'),
  binding('RoleBinding', 'Role', 'b', 'default'),
]

interface PathCase {
  readonly path: string
  readonly wanted: object | undefined
}

const paths: readonly PathCase[] = [
  { path: '/api/v1/nodes/n1', wanted: { group: '', resource: 'nodes', name: 'n1', namespace: undefined } },
  { path: '/api/v1/nodes/n1/status', wanted: { resource: 'nodes/status', name: 'n1' } },
  { path: '/api/v1/namespaces/default', wanted: { resource: 'namespaces', name: 'default', namespace: undefined } },
  { path: '/api/v1/namespaces/d/pods', wanted: { resource: 'pods', name: undefined, namespace: 'd' } },
  {
    path: '/apis/kaloom.com/v1/namespaces/d/networks/green',
    wanted: { group: 'kaloom.com', resource: 'networks', name: 'green', namespace: 'd' },
  },
  { path: '/api/v1/namespaces/nopal/serviceaccounts/kactus/token', wanted: { resource: 'serviceaccounts/token' } },
  { path: '/version', wanted: undefined },
  { path: '/apis', wanted: undefined },
]

t.test('what a request asks for', async t => {
  for (const { path, wanted } of paths) {
    const found = requestOf({ path, verb: 'get' })
    if (wanted === undefined) t.equal(found, undefined, path)
    else t.match(found, { ...wanted, verb: 'get' }, path)
  }
})

const line = (verb: string, path: string, code = 200, user = 'system:serviceaccount:nopal:agent'): AuditLine => ({
  user,
  verb,
  path,
  query: '',
  code,
  userAgent: '',
  time: 0,
})

t.test('rights used, unused and missing', async t => {
  const lines = [
    line('get', '/api/v1/nodes/n1'),
    line('patch', '/api/v1/nodes/n1/status'),
    line('get', '/api/v1/nodes/n1/status', 200, 'somebody else'),
    line('get', '/api/v1/namespaces/default/services/k'),
    line('get', '/api/v1/namespaces/default/services/other', 403),
    line('get', '/api/v1/namespaces/elsewhere/services/k', 200),
    line('get', '/version'),
  ]
  const { grants, faults } = compareRights(grantsOf(objects), lines)
  t.same(
    grants.map(({ verb, resource, uses }) => `${verb} ${resource} ${uses}`),
    ['get nodes 1', 'patch nodes 0', 'get nodes/status 0', 'patch nodes/status 1', 'get services 1'],
  )
  t.same(faults, [
    'nopal/agent: get /api/v1/namespaces/default/services/other was refused (403)',
    'nopal/agent: get /api/v1/namespaces/default/services/other is not among the rights',
    'nopal/agent: get /api/v1/namespaces/elsewhere/services/k is not among the rights',
    'nopal/agent: get /version is not among the rights',
  ])
  t.match(formatRights({ grants, faults }), /nopal\/agent +get +services +k +default +1/)
})

t.test('a binding to a role that is not there', async t => {
  t.throws(() => grantsOf([binding('RoleBinding', 'Role', 'none', 'default')]), /names Role none/)
})
