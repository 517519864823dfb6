import t from 'tap'
import { startApiServer } from '../cluster/api-server.ts'
import { chartFolder, renderChart, runHelm } from '../cluster/helm.ts'
import type { Manifest } from '../unit/daemonset/manifests.ts'
import { applyStrictly } from './strict-apply.ts'

// Only the real server judges what helm sends: it knows every field, and compiles the policy. No controller runs here, so
// the hook of the uninstallation is left out; test/e2e/cases/helm.ts has it.

const api = await startApiServer({ kind: 'real', run: 'chart' })
t.teardown(() => api.stop())

/** Everything that needs no definitions of others. */
const values = {
  egress: { enabled: true, apiUrl: 'https://api.example.test', username: 'nopal', password: 'correct horse' },
  pool: { enabled: true, token: 'T' },
  remedy: { workers: true, deleteFailedNodes: true },
}

function helm(words: readonly string[], given?: object) {
  return runHelm([...words, '--namespace', 'nopal', '--kubeconfig', api.adminKubeconfig], given)
}

async function namesOf(path: string): Promise<readonly string[]> {
  const { body } = await api.send({ method: 'GET', path })
  const { items } = body as { items: readonly { metadata: { name: string } }[] }
  return items.map(({ metadata }) => metadata.name)
}

const clusterRoles = '/apis/rbac.authorization.k8s.io/v1/clusterroles?labelSelector=app.kubernetes.io/part-of=nopal'
const always = ['nopal-agent', 'nopal-kactus', 'nopal-leader']
const optional = ['nopal-leader-egress', 'nopal-leader-pool', 'nopal-leader-remedy', 'nopal-leader-remedy-delete']

t.test('the API server takes what the chart makes', async t => {
  // The server of the tests has the definitions already.
  const said = await helm(['install', 'nopal', chartFolder, '--create-namespace', '--take-ownership'], values)
  t.equal(said.code, 0, said.stderr)
  t.notMatch(said.stdout + said.stderr, /correct horse|[Ww]arning/)
  t.same(await namesOf(clusterRoles), [...always, ...optional])
})

t.test('and every field of it, the hook included', async t => {
  const objects = await renderChart<Manifest>(values)
  for (const object of objects) {
    t.equal(await applyStrictly(api, object, true), 'applied', `${object.kind} ${object.metadata.name}`)
  }
})

t.test('a feature that is switched off takes its rights along', async t => {
  const said = await helm(['upgrade', 'nopal', chartFolder], { remedy: { workers: true } })
  t.equal(said.code, 0, said.stderr)
  t.same(await namesOf(clusterRoles), [...always, 'nopal-leader-remedy'])
  t.same(await namesOf('/api/v1/namespaces/nopal/secrets?fieldSelector=type=Opaque'), [])
})

t.test('an upgrade to one leader without a Lease, and back', async t => {
  const strategy = async () => {
    const { body } = await api.send({ method: 'GET', path: '/apis/apps/v1/namespaces/nopal/deployments/nopal-leader' })
    return (body as { spec: { strategy: { type: string } } }).spec.strategy.type
  }
  const alone = { leader: { replicas: 1 }, settings: { leader: { enabled: false } } }
  const there = await helm(['upgrade', 'nopal', chartFolder], alone)
  t.equal(there.code, 0, there.stderr)
  t.equal(await strategy(), 'Recreate')
  const back = await helm(['upgrade', 'nopal', chartFolder], { leader: { replicas: 2 } })
  t.equal(back.code, 0, back.stderr)
  t.equal(await strategy(), 'RollingUpdate')
})

t.test('a second release is refused: names are fixed, and there is one policy for one account', async t => {
  const { code, stderr } = await runHelm([
    ...['install', 'another', chartFolder, '--namespace', 'other', '--create-namespace'],
    ...['--kubeconfig', api.adminKubeconfig],
  ])
  t.equal(code, 1)
  t.match(stderr, 'cannot be imported into the current release')
})

t.test('definitions that are kept on purpose stay, and all else goes', async t => {
  t.equal((await helm(['upgrade', 'nopal', chartFolder], { crds: { keep: true } })).code, 0)
  const said = await helm(['uninstall', 'nopal', '--no-hooks'])
  t.equal(said.code, 0, said.stderr)
  t.same(await namesOf(clusterRoles), [])
  const definitions =
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions?labelSelector=app.kubernetes.io/part-of=nopal'
  t.same(await namesOf(definitions), ['networks.kaloom.com', 'nodenetworks.nopal.io'])
})
