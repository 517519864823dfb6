import t from 'tap'
import { type NetworkRequest, plainRequest } from '../../../../cni/networks/request.ts'
import {
  MULTUS_ANNOTATION,
  MULTUS_DEFAULT_ANNOTATION,
  selectNetworks,
  unreadAnnotations,
  withWishes,
} from '../../../../cni/networks/selection.ts'
import { refusalOf } from '../refusal.ts'

function seed(name: string, more: Partial<NetworkRequest> = {}): NetworkRequest {
  return { ...plainRequest('Network', name, undefined), ...more }
}

function multus(name: string, more: Partial<NetworkRequest> = {}): NetworkRequest {
  return { ...plainRequest('NetworkAttachmentDefinition', name, undefined), ...more }
}

t.test('what is refused is named', async t => {
  const asks = (wish: string) => ({ [MULTUS_ANNOTATION]: `[{"name":"a",${wish}}]` })
  for (const wish of ['"default-route":["10.0.0.1"]', '"default-route":[]', '"ipam-claim-reference":"c"', '"X":0']) {
    const error = await refusalOf(() => selectNetworks(asks(wish)))
    t.match(error.message, wish.replace(/:.*/, ''))
  }
})

interface DefaultCase {
  readonly name: string
  readonly annotations: Readonly<Record<string, string>>
  readonly want: readonly NetworkRequest[]
}

const primary = { isPrimary: true } as const
const defaultCases: readonly DefaultCase[] = [
  { name: 'a name', annotations: { [MULTUS_DEFAULT_ANNOTATION]: 'green' }, want: [multus('green', primary)] },
  {
    name: 'with its namespace, beside others',
    annotations: { [MULTUS_DEFAULT_ANNOTATION]: 'team/green', [MULTUS_ANNOTATION]: 'green,blue' },
    want: [multus('green', { ...primary, namespace: 'team' }), multus('green'), multus('blue')],
  },
  {
    name: 'JSON, beside our own',
    annotations: { [MULTUS_DEFAULT_ANNOTATION]: '[{"name":"green"}]', networks: '[{"name":"blue"}]' },
    want: [multus('green', primary), seed('blue')],
  },
  { name: 'empty', annotations: { [MULTUS_DEFAULT_ANNOTATION]: ' ' }, want: [] },
]

for (const { name, annotations, want } of defaultCases) {
  t.test(`multus' default network: ${name}`, async t => {
    t.strictSame(selectNetworks(annotations), want)
  })
}

t.test("multus' default network and isPrimary are two", async t => {
  const own = '[{"name":"blue","isPrimary":true}]'
  const error = await refusalOf(() => selectNetworks({ [MULTUS_DEFAULT_ANNOTATION]: 'green', networks: own }))
  t.match(error.message, /more than one "isPrimary"/)
})

t.test('where multus is the default network it alone reads its annotations, and that is said', async t => {
  const theirs = { [MULTUS_ANNOTATION]: 'green,junk/a/b', [MULTUS_DEFAULT_ANNOTATION]: 'blue' }
  const both = { ...theirs, networks: '[{"name":"green","ifMac":"02:00:00:00:00:0a"}]' }
  t.strictSame(selectNetworks(theirs, 'multus'), [])
  t.strictSame(selectNetworks(both, 'multus'), [seed('green', { mac: '02:00:00:00:00:0a' })])
  t.match(unreadAnnotations(theirs, 'multus'), {
    message: `multus alone reads ${MULTUS_ANNOTATION} and ${MULTUS_DEFAULT_ANNOTATION}`,
    isLost: false,
  })
  t.equal(unreadAnnotations({ networks: '[]' }, 'multus'), undefined)
  const wanted = plainRequest('Network', 'green', undefined)
  const wishes = { [MULTUS_ANNOTATION]: '[{"name":"green","mac":"02:00:00:00:00:0a"}]' }
  t.equal(withWishes(wanted, wishes).mac, '02:00:00:00:00:0a')
  t.strictSame(withWishes(wanted, wishes, 'multus'), wanted)
})

t.test('of two annotations the one that is not read is told of', async t => {
  const both = { networks: '[]', [MULTUS_ANNOTATION]: 'green' }
  t.match(unreadAnnotations(both, 'kactus'), {
    message: `${MULTUS_ANNOTATION} is not read, as the pod has networks`,
    isLost: true,
  })
  for (const annotations of [
    { networks: '[]' },
    { [MULTUS_ANNOTATION]: 'green' },
    { [MULTUS_DEFAULT_ANNOTATION]: 'a', networks: '' },
    {},
  ]) {
    t.equal(unreadAnnotations(annotations, 'kactus'), undefined)
  }
})

t.test('of two networks of one name in two namespaces the one that is meant is attached to a running pod', async t => {
  const wishes = { [MULTUS_ANNOTATION]: 'default/green@x1,green@x2' }
  const meant = (namespace: string | undefined) =>
    withWishes(plainRequest('NetworkAttachmentDefinition', 'green', namespace), wishes)
  t.match(meant(undefined), { namespace: undefined, ifname: 'x2' })
  t.match(meant('default'), { namespace: 'default', ifname: 'x1' })
  t.match(meant('team'), { namespace: 'team', ifname: 'x2' })
})
