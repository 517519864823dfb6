import t from 'tap'
import { KubeError } from '../../../../agent/kube/api.ts'
import { remove } from '../../../../agent/removal/remove.ts'
import { createFakeKube, type KubeReply, refuses } from '../verify/fake-kube.ts'
import { daemonSet, uninstaller } from './objects.ts'

const apps = '/apis/apps/v1/namespaces/nopal'
const leases = '/apis/coordination.k8s.io/v1/namespaces/nopal/leases'
const rbac = '/apis/rbac.authorization.k8s.io/v1'
const binding = `${rbac}/clusterrolebindings/nopal-agent`
const bindings = [
  binding,
  `${rbac}/namespaces/nopal/rolebindings/nopal-agent`,
  `${rbac}/namespaces/nopal/rolebindings/nopal-leader`,
]
const signal = new AbortController().signal

/** Time passes only while somebody waits. */
function createClock() {
  let nowMs = 0
  const after = (delayMs: number, run: () => void) => {
    nowMs += delayMs
    queueMicrotask(run)
    return () => undefined
  }
  return { now: () => nowMs, monotonic: () => nowMs, after }
}

const list = (...items: readonly unknown[]) => ({ metadata: { resourceVersion: '1' }, items })
const nodes = list({ metadata: { name: 'n1', uid: 'u1' } }, { metadata: { name: 'n2', uid: 'u2' } })

const gone: Readonly<Record<string, KubeReply>> = {
  [`DELETE ${apps}/deployments/nopal-leader`]: () => ({}),
  [`DELETE ${apps}/daemonsets/nopal`]: () => ({}),
  ...Object.fromEntries(bindings.map(path => [`DELETE ${path}`, () => ({})])),
  [`DELETE ${leases}/nopal-gate`]: () => ({}),
  [`DELETE ${leases}/nopal-leader`]: () => ({}),
  'GET /api/v1/nodes': () => nodes,
}

function removeWith(api: ReturnType<typeof createFakeKube>, unmark: (node: string) => Promise<readonly string[]>) {
  const clock = createClock()
  const all = {
    api,
    namespace: 'nopal',
    withinMs: 60_000,
    clock,
    leases: ['nopal-gate', 'nopal-leader'],
    unmark,
    signal,
  }
  return remove(all).then(removal => ({ removal, seconds: clock.now() / 1_000 }))
}

t.test('leader and agents go first, then nodes are waited for, then marks and Leases go', async t => {
  let looks = 0
  const api = createFakeKube({
    ...gone,
    [`GET ${apps}/daemonsets/nopal-uninstall`]: () => daemonSet(2),
    'GET /api/v1/namespaces/nopal/pods': () => {
      looks += 1
      return list(uninstaller('n2', 'ready'), uninstaller('n1', looks < 3 ? 'running' : 'ready'))
    },
  })
  const { removal } = await removeWith(api, async node => {
    t.equal(api.requests.filter(({ path }) => path === binding).length, 1, 'no agent can put the marks back')
    return [`${node} unmarked`]
  })
  t.same(removal, { done: ['n1', 'n2'], left: [], notes: ['n1: n1 unmarked', 'n2: n2 unmarked'] })
  t.same(
    api.requests.filter(({ method }) => method !== 'GET').map(({ path }) => path),
    [
      `${apps}/deployments/nopal-leader`,
      `${apps}/daemonsets/nopal`,
      ...bindings,
      `${leases}/nopal-gate`,
      `${leases}/nopal-leader`,
    ],
  )
  t.ok(api.requests.every(({ method, query }) => method !== 'DELETE' || query?.propagationPolicy === 'Background'))
})

t.test('a node that stays silent is named, and its marks go, after the time that there is', async t => {
  const api = createFakeKube({
    ...gone,
    [`GET ${apps}/daemonsets/nopal-uninstall`]: () => daemonSet(2),
    'GET /api/v1/namespaces/nopal/pods': () => list(uninstaller('n1', 'ready'), uninstaller('n2', 'running')),
  })
  const unmarked: string[] = []
  const { removal, seconds } = await removeWith(api, async node => {
    unmarked.push(node)
    return []
  })
  t.match(removal, { done: ['n1'], left: [{ node: 'n2', why: /not done/ }] })
  t.same(unmarked, ['n1', 'n2'])
  t.equal(seconds, 60)
})

t.test('a Node that cannot be written to is named, and the others lose their marks', async t => {
  const api = createFakeKube({
    [`GET ${apps}/daemonsets/nopal-uninstall`]: () => daemonSet(0),
    'GET /api/v1/namespaces/nopal/pods': () => list(),
    'GET /api/v1/nodes': () => nodes,
  })
  const { removal } = await removeWith(api, async node => {
    if (node === 'n1') throw new KubeError('Forbidden', 'no right to that')
    return ['done']
  })
  t.same(removal.left, [{ node: 'n1', why: 'the Node keeps the marks of nopal: no right to that' }])
  t.same(removal.notes, ['n2: done'], 'and what is gone already is no error')
})

t.test('without the DaemonSet, or without the right, nothing is waited for and no mark is taken off', async t => {
  const row = { ...gone, 'GET /api/v1/namespaces/nopal/pods': () => list() }
  const rows = [
    { api: createFakeKube(row), code: 'NotFound' },
    { api: createFakeKube({ ...row, [`DELETE ${apps}/daemonsets/nopal`]: refuses('Forbidden') }), code: 'Forbidden' },
  ]
  for (const { api, code } of rows) {
    const unmark = async () => t.fail('a mark is taken off') as never
    await t.rejects(removeWith(api, unmark), { code })
  }
})
