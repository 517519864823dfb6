import { join } from 'node:path'
import t from 'tap'
import { type ApiServer, startApiServer } from '../cluster/api-server.ts'
import { createAll, readManifests } from '../cluster/manifests.ts'
import { until } from '../machine/wait.ts'
import { type Manifest, readObjects } from '../unit/daemonset/manifests.ts'
import { applyStrictly } from './strict-apply.ts'

// Only the real server judges manifests: it knows every field, and runs the rules of a CustomResourceDefinition.
const api = await startApiServer({ kind: 'real', run: 'manifests' })
t.teardown(() => api.stop())

const nodePools = join(import.meta.dirname, '../cluster/crds/karpenter-node-pools.yaml')

interface Status {
  readonly message?: string
}

/** A definition takes a moment to be in force: until then its old rules answer. */
function waitForRules(server: ApiServer): Promise<string> {
  return until('the rules of the Network definition', () => refusalOf(server, { plugin: '../bridge', config: '{}' }))
}

/** Why the server refuses a Network; undefined = it takes it. Nothing is kept. */
async function refusalOf(server: ApiServer, spec: object): Promise<string | undefined> {
  const path = '/apis/kaloom.com/v1/namespaces/default/networks?dryRun=All'
  const body = { apiVersion: 'kaloom.com/v1', kind: 'Network', metadata: { name: 'tried' }, spec }
  const answer = await server.send({ method: 'POST', path, body })
  return answer.code === 201 ? undefined : (answer.body as Status).message
}

t.test('the API server takes every manifest and example', async t => {
  await createAll(api.admin, await readManifests(nodePools))
  const objects = readObjects()
  const rank = ({ kind }: Manifest) => ['Namespace', 'CustomResourceDefinition'].indexOf(kind)
  const ordered = [...objects].sort((one, other) => Number(rank(other) >= 0) - Number(rank(one) >= 0))
  for (const object of ordered) {
    t.equal(await applyStrictly(api, object), 'applied', `${object.file}: ${object.kind} ${object.metadata.name}`)
    if (object.kind === 'CustomResourceDefinition') await waitForRules(api)
  }
})

interface NetworkCase {
  readonly name: string
  readonly spec: object
  /** Part of what the user reads; absent = it is taken. */
  readonly refusal?: string
}

const large = JSON.stringify({ a: Array.from({ length: 1700 }, () => ({ b: [] })) })

const networkCases: readonly NetworkCase[] = [
  { name: 'plugin and config', spec: { plugin: 'bridge', config: '{"bridge": "green0"}' } },
  { name: 'a chain without a plugin', spec: { config: '{"plugins": [{"type": "bridge"}]}' } },
  { name: 'a config as large as any, at its cost', spec: { plugin: 'bridge', config: large.padEnd(16_384, ' ') } },
  { name: 'no plugin', spec: { config: '{}' }, refusal: 'plugin is missing: name the CNI plugin to run' },
  { name: 'no config', spec: { plugin: 'bridge' }, refusal: 'spec.config: Required value' },
  { name: 'a path', spec: { plugin: '../bridge', config: '{}' }, refusal: 'plugin must be the bare file name' },
  {
    name: 'a config that is too large',
    spec: { plugin: 'bridge', config: large.padEnd(16_385, ' ') },
    refusal: '16384',
  },
  { name: 'a list', spec: { plugin: 'bridge', config: '[]' }, refusal: 'config must be the text of a JSON object' },
  { name: 'a comma', spec: { plugin: 'bridge', config: '{"a": 1,}' }, refusal: 'config is not valid JSON: look for a' },
  { name: 'a brace', spec: { plugin: 'bridge', config: '{"a": {"b": 1}' }, refusal: 'every { and [ needs its closing' },
  { name: 'an object for a text', spec: { plugin: 'bridge', config: {} }, refusal: 'must be of type string' },
]

t.test('a Network that cannot work is refused with what is wrong', async t => {
  for (const { name, spec, refusal } of networkCases) {
    const said = await refusalOf(api, spec)
    if (refusal === undefined) t.equal(said, undefined, name)
    else t.ok(said?.includes(refusal), `${name}: ${said?.slice(0, 200)}`)
  }
})
