import t from 'tap'
import { namespacesOf, refuseForeign } from '../../../../cni/networks/namespaces.ts'
import { plainRequest } from '../../../../cni/networks/request.ts'
import { refusalOf } from '../refusal.ts'

interface PlaceCase {
  readonly name: string
  readonly asked: string | undefined
  readonly pod: string
  readonly shared: readonly string[]
  readonly places: readonly string[]
  readonly isRefused: boolean
}

const cases: readonly PlaceCase[] = [
  {
    name: 'not said: own, then default',
    asked: undefined,
    pod: 'team',
    shared: [],
    places: ['team', 'default'],
    isRefused: false,
  },
  { name: 'not said, in default', asked: undefined, pod: 'default', shared: [], places: ['default'], isRefused: false },
  { name: 'its own', asked: 'team', pod: 'team', shared: [], places: ['team'], isRefused: false },
  { name: "everybody's", asked: 'default', pod: 'team', shared: [], places: ['default'], isRefused: false },
  { name: 'one that is shared', asked: 'infra', pod: 'team', shared: ['infra'], places: ['infra'], isRefused: false },
  { name: "another team's", asked: 'rival', pod: 'team', shared: ['infra'], places: ['rival'], isRefused: true },
  {
    name: "another team's, from default",
    asked: 'rival',
    pod: 'default',
    shared: [],
    places: ['rival'],
    isRefused: true,
  },
  {
    name: 'sharing covers no longer name',
    asked: 'infra-2',
    pod: 'team',
    shared: ['infra'],
    places: ['infra-2'],
    isRefused: true,
  },
]

for (const { name, asked, pod, shared, places, isRefused } of cases) {
  t.test(name, async t => {
    const request = plainRequest('Network', 'green', asked)
    t.strictSame(namespacesOf(request, pod), places)
    if (!isRefused) return t.doesNotThrow(() => refuseForeign(request, pod, shared))
    const error = await refusalOf(() => refuseForeign(request, pod, shared))
    t.equal(error.code, 110)
    t.match(error.message, `${asked}/green`)
  })
}
