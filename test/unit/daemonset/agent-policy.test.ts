import t from 'tap'
import { conditionType } from '../../../agent/gate/condition.ts'
import { grantsOf } from '../../e2e/rights.ts'
import { load } from '../agent/config/given.ts'
import { readObjects, readText } from './manifests.ts'

interface Rule {
  readonly apiGroups: readonly string[]
  readonly apiVersions: readonly string[]
  readonly operations: readonly string[]
  readonly resources: readonly string[]
}

interface PolicySpec {
  readonly failurePolicy: string
  readonly paramKind?: object
  readonly matchConditions: readonly { readonly expression: string }[]
  readonly matchConstraints: { readonly resourceRules: readonly Rule[] }
  readonly variables: readonly { readonly name: string; readonly expression: string }[]
  readonly validations: readonly { readonly reason: string }[]
}

const objects = readObjects()
const policy = objects.find(({ kind }) => kind === 'ValidatingAdmissionPolicy')
const spec = policy?.spec as PolicySpec
const { resourceRules } = spec.matchConstraints

function isMatched(group: string, resource: string): boolean {
  const below = `${resource.split('/')[0]}/*`
  return resourceRules.some(
    ({ apiGroups, resources }) => apiGroups.includes(group) && [resource, below].some(each => resources.includes(each)),
  )
}

t.test(
  'the policy looks at everything that an agent has a right to write, in every version and by every verb',
  async t => {
    const grants = grantsOf(objects).filter(({ account }) => account === 'nopal/nopal')
    const writes = grants.filter(({ verb }) => !['get', 'list', 'watch'].includes(verb))
    t.ok(writes.length >= 5)
    for (const { group, resource } of writes) t.ok(isMatched(group, resource), `${resource} ${group}`)
    for (const { apiVersions, operations } of resourceRules) t.same([apiVersions, operations], [['*'], ['*']])
  },
)

t.test('the policy touches the agents alone, lets nothing through by a fault, and is bound', async t => {
  t.equal(spec.failurePolicy, 'Fail')
  t.equal(spec.paramKind, undefined, 'a parameter that is missing would refuse the writes of everybody')
  t.same(
    spec.matchConditions.map(({ expression }) => expression),
    ["request.userInfo.username == 'system:serviceaccount:nopal:nopal'"],
  )
  // Any other reason is a 422, which the gate takes for a node that has changed since it was read.
  t.ok(spec.validations.every(({ reason }) => reason === 'Forbidden'))
  const binding = objects.find(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding')
  t.same(binding?.spec, { policyName: policy?.metadata.name, validationActions: ['Deny'] })
})

t.test('the policy and the settings name the same', async t => {
  const { gate } = load({ env: { NODE_NAME: 'n1' }, ini: readText('nopal.ini') }).settings
  const names = { taintKey: gate.taint.key, taintEffect: gate.taint.effect, label: gate.label.key, conditionType }
  const first = spec.variables.slice(0, 4).map(({ name, expression }) => [name, expression.replaceAll("'", '')])
  t.same(first, Object.entries(names), 'README tells to change the first three by their places')
})
