import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { createKubeClient } from '../../agent/kube/client.ts'
import type { KubeCredentials } from '../../agent/kube/credentials.ts'
import { fixedCredentials } from '../../agent/kube/follow-credentials.ts'
import { type ObjectCache, startObjectCache } from '../../agent/lookup/cache.ts'
import { systemClock } from '../../agent/runtime/clock.ts'
import { type ApiServer, startApiServer } from '../cluster/api-server.ts'
import { applyManifests } from '../lab/product.ts'
import { until } from '../machine/wait.ts'
import { createRecordingLogger } from '../unit/agent/runtime/recording-logger.ts'
import { networks, post, remove } from './api/requests.ts'

interface ServerCase {
  readonly name: string
  readonly kind: ApiServer['kind']
  readonly flags?: readonly string[]
  /** Old servers do not say when they have told all that is there. */
  readonly certain: boolean
  /** Refusals by then. */
  readonly refused: readonly number[]
}

const servers: readonly ServerCase[] = [
  { name: 'embedded', kind: 'embedded', certain: true, refused: [] },
  { name: 'real', kind: 'real', certain: true, refused: [] },
  {
    name: 'real, without streaming lists',
    kind: 'real',
    flags: ['--feature-gates=WatchList=false'],
    certain: false,
    refused: [422, 422, 422],
  },
]

for (const server of servers) {
  t.test(`what the lookup knows: ${server.name}`, async t => {
    const api = await startApiServer({ ...server, run: `lookup-${randomBytes(3).toString('hex')}` })
    t.teardown(() => api.stop())
    await applyManifests(api)
    await makePod(api, 'here', 'n1')
    await makePod(api, 'there', 'n2')
    const cache = await startCache(t, api)
    await followsAll(t, { api, cache, absence: server.certain ? 'absent' : 'unknown' })
    const lines = (await api.requests()).filter(({ userAgent }) => userAgent === 'nopal/contract')
    t.same([...new Set(lines.map(({ verb }) => verb))], ['watch'], 'it only watches')
    t.same(
      lines.map(({ code }) => code).filter(code => code >= 400),
      server.refused,
    )
  })
}

async function startCache(t: Test, api: ApiServer): Promise<ObjectCache> {
  const { token } = await api.targetFor('nopal', 'nopal')
  const credentials: KubeCredentials = {
    source: 'kubeconfig',
    server: api.url,
    caPem: readFileSync(api.caFile, 'utf8'),
    ...{ tlsServerName: undefined, insecure: false, token },
    ...{ clientCertPem: undefined, clientKeyPem: undefined },
  }
  const client = createKubeClient({ credentials: fixedCredentials(credentials), userAgent: 'nopal/contract' })
  const log = createRecordingLogger()
  const cache = startObjectCache({ api: client, nodeName: 'n1', log, clock: systemClock, random: Math.random })
  t.teardown(async () => {
    await cache.stop()
    client.close()
  })
  return cache
}

interface Followed {
  readonly api: ApiServer
  readonly cache: ObjectCache
  /** What is said of a network that is not there. */
  readonly absence: 'absent' | 'unknown'
}

async function followsAll(t: Test, { api, cache, absence }: Followed): Promise<void> {
  const seen = (name: string) => cache.pod('default', name)
  const sight = (name: string) => cache.network('Network', 'default', name)
  await until('the pod of this node', () => seen('here') !== undefined)
  t.match(seen('here'), { uid: String, annotations: { networks: '[{"name":"green"}]' } })
  t.equal(seen('there'), undefined, 'a pod of another node is none of ours')
  await until('the networks', () => sight('green').state === 'known')
  t.equal(sight('none-such').state, absence)
  await makePod(api, 'later', 'n1')
  await until('a pod that comes', () => seen('later') !== undefined)
  await api.send(remove('/api/v1/namespaces/default/pods/later?gracePeriodSeconds=0'))
  await until('a pod that goes', () => seen('later') === undefined)
  await api.send(remove(`${networks}/green`))
  await until('a network that goes', () => sight('green').state === absence)
}

async function makePod(api: ApiServer, name: string, nodeName: string): Promise<void> {
  const metadata = { name, annotations: { networks: '[{"name":"green"}]', other: 'x' } }
  const spec = { nodeName, automountServiceAccountToken: false, containers: [{ name: 'c', image: 'i' }] }
  const { code } = await api.send(
    post('/api/v1/namespaces/default/pods', { apiVersion: 'v1', kind: 'Pod', metadata, spec }),
  )
  if (code !== 201) throw new Error(`pod ${name}: ${code}`)
}
