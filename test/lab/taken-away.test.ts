import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sendRequest } from '../cluster/api-client.ts'
import { createAll, readManifests } from '../cluster/manifests.ts'
import { until } from '../machine/wait.ts'
import { account } from './agent.ts'
import { startLab } from './lab.ts'
import { ask, jsonPatch } from './objects.ts'
import { applyManifests } from './product.ts'

// An agent as in its pod, told to end, on the real API server: whether nopal is taken away or the agent restarted. No
// controller runs here, so each step of a deletion stands as long as the test wants.

const daemonSet = join(import.meta.dirname, '../../daemonset/daemonset.yaml')
const own = `/api/v1/namespaces/${account.namespace}`
const accounts = [account.name, 'kactus'].map(name => `${own}/serviceaccounts/${name}`)
const rbac = '/apis/rbac.authorization.k8s.io/v1'
const rights = [
  `${rbac}/clusterrolebindings/nopal-agent`,
  `${rbac}/namespaces/${account.namespace}/rolebindings/nopal-agent`,
]
const ofDaemonSet = `/apis/apps/v1/namespaces/${account.namespace}/daemonsets/nopal`

const lab = await startLab({ nodes: 1 })
t.teardown(async () => {
  if (!t.passing()) t.comment(lab.run.logTails(60))
  await lab.stop()
})
const node = lab.node(1)
const ownPod = `${own}/pods/${account.name}-on-${node.name}`

interface Case {
  readonly name: string
  /** Before the agent is told to end. */
  readonly before?: (token: string) => Promise<unknown>
  /** While it looks. */
  readonly during?: () => Promise<unknown>
  readonly after?: () => Promise<unknown>
  readonly takenAway: boolean
  /** Longer, and it is killed. */
  readonly limitMs: number
}

const ordinaryMs = 6_000
const graceMs = 30_000

const cases: readonly Case[] = [
  { name: 'a rollout', takenAway: false, limitMs: ordinaryMs },
  {
    name: 'its node is cordoned and its pod evicted, as in a drain',
    before: async () => {
      await cordon({ op: 'add', path: '/spec/unschedulable', value: true })
      await evictPod()
    },
    after: async () => {
      await cordon({ op: 'remove', path: '/spec/unschedulable' })
      await remove(`${ownPod}?gracePeriodSeconds=0`)
    },
    takenAway: false,
    limitMs: ordinaryMs,
  },
  {
    name: 'its pod alone is deleted, by force',
    before: async token => {
      await remove(`${ownPod}?gracePeriodSeconds=0`)
      await untilRefused(token)
    },
    takenAway: false,
    limitMs: graceMs,
  },
  {
    name: 'the API server does not answer',
    before: () => cutApi('drop'),
    after: () => node.run(['nft', 'delete', 'table', 'inet', 'cut']),
    takenAway: false,
    limitMs: ordinaryMs,
  },
  {
    name: 'the API server refuses connections',
    before: () => cutApi('reject with tcp reset'),
    after: () => node.run(['nft', 'delete', 'table', 'inet', 'cut']),
    takenAway: false,
    limitMs: ordinaryMs,
  },
  { name: 'its rights alone are gone', before: () => removeAll(rights), takenAway: false, limitMs: graceMs },
  { name: 'the DaemonSet is deleted', before: () => remove(ofDaemonSet), takenAway: true, limitMs: graceMs },
  {
    name: 'the accounts are deleted first',
    before: async token => {
      await removeAll(accounts)
      await untilRefused(token)
    },
    takenAway: true,
    limitMs: graceMs,
  },
  {
    name: 'its rights are deleted first, the accounts last',
    before: () => removeAll([...rights, ofDaemonSet]),
    during: () => removeAll(accounts),
    takenAway: true,
    limitMs: graceMs,
  },
  { name: 'the namespace is deleted', before: () => remove(own), takenAway: true, limitMs: graceMs },
]

const [conf, binary] = ['/etc/cni/net.d/05-kactus.conflist', '/opt/cni/bin/kactus'].map(path => node.path(path))

for (const { name, before, during, after, takenAway, limitMs } of cases) {
  await t.test(`told to end: ${name}: ${takenAway ? 'the default network is back' : 'all stays'}`, async t => {
    await applyManifests(lab.api)
    await createAll(lab.api.admin, await readManifests(daemonSet))
    const { token = '' } = await lab.api.targetFor(account.namespace, account.name, node.name)
    const agent = await lab.startAgent(node, { settings: '[verify]\ninterval = 60s\n', podToken: token })
    await until('the installation and a verdict', () => isThere(conf) && /network (verified|failed)/.test(agent.log()))
    await before?.(token)
    const ended = agent.stop('SIGTERM', limitMs)
    await during?.()
    t.equal(await ended, 0)
    await after?.()
    t.equal(isThere(conf), !takenAway, 'the conf')
    t.equal(isThere(binary), !takenAway, 'the executable')
    t.equal(/the node gets its own default network back/.test(agent.log()), takenAway, 'and the log says so')
    if (takenAway) t.ok(existsSync(node.path('/etc/cni/net.d/10-lab.conflist')), 'the default network is there')
  })
}

function isThere(path: string | undefined): boolean {
  return path !== undefined && existsSync(path)
}

async function remove(path: string): Promise<void> {
  await ask(lab.api, { method: 'DELETE', path })
}

async function removeAll(paths: readonly string[]): Promise<void> {
  for (const path of paths) await remove(path)
}

async function cordon(step: object): Promise<void> {
  await ask(lab.api, { method: 'PATCH', path: `/api/v1/nodes/${node.name}`, body: [step], contentType: jsonPatch })
}

/** It stays, marked as going, until its kubelet has ended it: there is none here. */
async function evictPod(): Promise<void> {
  const metadata = { name: `${account.name}-on-${node.name}`, namespace: account.namespace }
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata }
  await ask(lab.api, { method: 'POST', path: `${ownPod}/eviction`, body })
  const { metadata: left } = (await ask(lab.api, { method: 'GET', path: ownPod })) as { metadata: object }
  if (!('deletionTimestamp' in left)) throw new Error('the eviction has not marked the pod')
}

/** The API server remembers for some seconds whom it has let in. */
async function untilRefused(token: string): Promise<void> {
  const { ca, url, socketPath } = lab.api.admin
  const target = { ca, url, socketPath, token }
  await until('the token to be refused', async () => {
    return (await sendRequest(target, { method: 'GET', path: own })).code === 401
  })
}

async function cutApi(verdict: string): Promise<void> {
  const table = 'add table inet cut; add chain inet cut out { type filter hook output priority 0; }'
  await node.run(['nft', `${table}; add rule inet cut out tcp dport { 443, 6443 } ${verdict}`])
}
