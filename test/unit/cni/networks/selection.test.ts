import t from 'tap'
import { type NetworkRequest, plainRequest } from '../../../../cni/networks/request.ts'
import {
  MAX_NETWORKS,
  MULTUS_ANNOTATION,
  MULTUS_DEFAULT_ANNOTATION,
  NETWORKS_ANNOTATION,
  selectNetworks,
  withWishes,
} from '../../../../cni/networks/selection.ts'
import { interfaceNameFault } from '../../../../cni/spec/names.ts'
import { nastyPieces, randomInput, tryMany } from '../random-input.ts'
import { hasCode, refusalOf } from '../refusal.ts'

function seed(name: string, more: Partial<NetworkRequest> = {}): NetworkRequest {
  return { ...plainRequest('Network', name, undefined), ...more }
}

function multus(name: string, more: Partial<NetworkRequest> = {}): NetworkRequest {
  return { ...plainRequest('NetworkAttachmentDefinition', name, undefined), ...more }
}

interface SelectCase {
  readonly name: string
  readonly text: string
  readonly want: readonly NetworkRequest[]
}

const seedCases: readonly SelectCase[] = [
  { name: 'empty', text: '', want: [] },
  { name: 'white space', text: ' \n', want: [] },
  { name: 'null', text: 'null', want: [] },
  { name: 'an empty list', text: '[]', want: [] },
  { name: 'two', text: '[{"name":"green"},{"name":"blue"}]', want: [seed('green'), seed('blue')] },
  {
    name: 'every wish',
    text: '[{"name":"green","namespace":"team","ifMac":"0A:58:0A:01:00:02","isPrimary":true,"podagentSkip":true}]',
    want: [seed('green', { namespace: 'team', mac: '0a:58:0a:01:00:02', isPrimary: true, podagentSkip: true })],
  },
  {
    name: 'wishes that are null or empty',
    text: '[{"name":"green","namespace":"","ifMac":"","isPrimary":null,"podagentSkip":false}]',
    want: [seed('green')],
  },
  {
    name: 'keys nobody knows, without a wish',
    text: '[{"name":"green","x":null,"y":"","z":[]}]',
    want: [seed('green')],
  },
  {
    name: 'the same one twice is for the plan to judge',
    text: '[{"name":"a"},{"name":"a"}]',
    want: [seed('a'), seed('a')],
  },
]

for (const { name, text, want } of seedCases) {
  t.test(`networks: ${name}`, async t => {
    t.strictSame(selectNetworks({ [NETWORKS_ANNOTATION]: text }), want)
  })
}

const multusCases: readonly SelectCase[] = [
  { name: 'empty', text: '', want: [] },
  { name: 'one', text: 'green', want: [multus('green')] },
  { name: 'two with spaces', text: ' green , blue ', want: [multus('green'), multus('blue')] },
  { name: 'commas without names', text: ',green,,', want: [multus('green')] },
  {
    name: 'namespace and interface',
    text: 'team/green@eth1,blue@eth2',
    want: [multus('green', { namespace: 'team', ifname: 'eth1' }), multus('blue', { ifname: 'eth2' })],
  },
  { name: 'JSON', text: ' [{"name":"green"}]', want: [multus('green')] },
  {
    name: 'JSON with every wish',
    text: JSON.stringify([
      {
        name: 'green',
        namespace: 'team',
        interface: 'eth1',
        mac: '0A:58:0A:01:00:02',
        ips: ['10.1.0.9/24'],
        portMappings: [{ hostPort: 80 }],
        bandwidth: { ingressRate: 1 },
        'infiniband-guid': 'c2:11:22:33:44:55:66:77',
        'cni-args': { a: 1 },
      },
    ]),
    want: [
      multus('green', {
        namespace: 'team',
        ifname: 'eth1',
        mac: '0a:58:0a:01:00:02',
        capabilityArgs: {
          ips: ['10.1.0.9/24'],
          portMappings: [{ hostPort: 80 }],
          bandwidth: { ingressRate: 1 },
          infinibandGUID: 'c2:11:22:33:44:55:66:77',
        },
        cniArgs: { a: 1 },
      }),
    ],
  },
  {
    name: 'JSON with wishes that are empty',
    text: '[{"name":"green","interface":"","mac":"","ips":[],"cni-args":null,"default-route":null}]',
    want: [multus('green')],
  },
]

for (const { name, text, want } of multusCases) {
  t.test(`multus: ${name}`, async t => {
    t.strictSame(selectNetworks({ [MULTUS_ANNOTATION]: text }), want)
  })
}

interface ChoiceCase {
  readonly name: string
  readonly annotations: Readonly<Record<string, unknown>>
  readonly want: readonly string[]
}

const choiceCases: readonly ChoiceCase[] = [
  { name: 'neither', annotations: { other: 'x' }, want: [] },
  {
    name: 'both: the own one counts',
    annotations: { networks: '[{"name":"a"}]', [MULTUS_ANNOTATION]: 'b' },
    want: ['a'],
  },
  { name: 'an own one that is empty still counts', annotations: { networks: '', [MULTUS_ANNOTATION]: 'b' }, want: [] },
  { name: 'an own one that is no text is none', annotations: { networks: 5, [MULTUS_ANNOTATION]: 'b' }, want: ['b'] },
  { name: 'inherited ones do not count', annotations: Object.create({ networks: '[{"name":"a"}]' }), want: [] },
]

for (const { name, annotations, want } of choiceCases) {
  t.test(`choice: ${name}`, async t => {
    t.strictSame(
      selectNetworks(annotations).map(request => request.name),
      want,
    )
  })
}

interface RefusedCase {
  readonly name: string
  readonly annotation: string
  readonly text: string
}

const many = JSON.stringify(Array.from({ length: MAX_NETWORKS + 1 }, (_none, index) => ({ name: `n${index}` })))

const refusedCases: readonly RefusedCase[] = [
  { name: 'text', annotation: 'networks', text: 'green' },
  { name: 'half a list', annotation: 'networks', text: '[{"name":' },
  { name: 'an object', annotation: 'networks', text: '{"name":"green"}' },
  { name: 'a list of text', annotation: 'networks', text: '["green"]' },
  { name: 'a list of lists', annotation: 'networks', text: '[[]]' },
  { name: 'too deep', annotation: 'networks', text: '['.repeat(5000) },
  { name: 'no name', annotation: 'networks', text: '[{}]' },
  { name: 'a name that is a number', annotation: 'networks', text: '[{"name":9007199254740993}]' },
  { name: 'a name with a slash', annotation: 'networks', text: '[{"name":"a/b"}]' },
  { name: 'a name that climbs', annotation: 'networks', text: '[{"name":"../../nodes"}]' },
  { name: 'a name with a NUL', annotation: 'networks', text: '[{"name":"a\\u0000"}]' },
  { name: 'a name with a separator', annotation: 'networks', text: '[{"name":"a;b=c"}]' },
  { name: 'a name of 300 characters', annotation: 'networks', text: `[{"name":"${'a'.repeat(300)}"}]` },
  { name: 'a name only by inheritance', annotation: 'networks', text: '[{"__proto__":{"name":"green"}}]' },
  { name: 'a namespace with a slash', annotation: 'networks', text: '[{"name":"a","namespace":"b/c"}]' },
  { name: 'a namespace that is a number', annotation: 'networks', text: '[{"name":"a","namespace":1}]' },
  { name: 'a hardware address of a group', annotation: 'networks', text: '[{"name":"a","ifMac":"01:00:5e:00:00:01"}]' },
  {
    name: 'a hardware address with more behind',
    annotation: 'networks',
    text: '[{"name":"a","ifMac":"0a:58:0a:01:00:02;B=1"}]',
  },
  { name: 'isPrimary as text', annotation: 'networks', text: '[{"name":"a","isPrimary":"true"}]' },
  { name: 'podagentSkip as a number', annotation: 'networks', text: '[{"name":"a","podagentSkip":1}]' },
  {
    name: 'two primaries',
    annotation: 'networks',
    text: '[{"name":"a","isPrimary":true},{"name":"b","isPrimary":true}]',
  },
  { name: 'too many', annotation: 'networks', text: many },
  { name: 'two slashes', annotation: MULTUS_ANNOTATION, text: 'a/b/c' },
  { name: 'two at signs', annotation: MULTUS_ANNOTATION, text: 'a@b@c' },
  { name: 'a capital', annotation: MULTUS_ANNOTATION, text: 'Green' },
  { name: 'an interface alone', annotation: MULTUS_ANNOTATION, text: '@eth1' },
  { name: 'an empty namespace', annotation: MULTUS_ANNOTATION, text: '/green' },
  { name: 'an interface that is too long', annotation: MULTUS_ANNOTATION, text: 'green@abcdefghijklmnop' },
  { name: 'an interface with a path', annotation: MULTUS_ANNOTATION, text: 'green@..' },
  { name: 'a JSON object', annotation: MULTUS_ANNOTATION, text: '{"name":"green"}' },
  { name: 'a JSON text', annotation: MULTUS_ANNOTATION, text: '"green"' },
  { name: 'a JSON interface that is a number', annotation: MULTUS_ANNOTATION, text: '[{"name":"a","interface":1}]' },
  { name: 'a JSON interface with a slash', annotation: MULTUS_ANNOTATION, text: '[{"name":"a","interface":"a/b"}]' },
  { name: 'arguments that are no object', annotation: MULTUS_ANNOTATION, text: '[{"name":"a","cni-args":[]}]' },
  { name: 'a key by inheritance', annotation: 'networks', text: '[{"name":"a","__proto__":{"isPrimary":true}}]' },
  { name: 'a key nobody knows', annotation: 'networks', text: '[{"name":"a","isPrimay":true}]' },
  { name: 'a key in another case', annotation: 'networks', text: '[{"name":"a","IfMac":"02:00:00:00:00:01"}]' },
  { name: 'upper layers', annotation: 'networks', text: '[{"name":"a","upperLayers":["b"]}]' },
  { name: "one of multus' wishes", annotation: 'networks', text: '[{"name":"a","interface":"x"}]' },
  { name: 'one of ours', annotation: MULTUS_ANNOTATION, text: '[{"name":"a","isPrimary":true}]' },
  { name: 'an address claim', annotation: MULTUS_ANNOTATION, text: '[{"name":"a","ipam-claim-reference":"c"}]' },
  { name: 'an empty default route', annotation: MULTUS_ANNOTATION, text: '[{"name":"a","default-route":[]}]' },
  { name: 'a default route that is text', annotation: MULTUS_ANNOTATION, text: '[{"name":"a","default-route":""}]' },
  { name: 'two default networks', annotation: MULTUS_DEFAULT_ANNOTATION, text: 'a,b' },
  { name: 'a default network that is junk', annotation: MULTUS_DEFAULT_ANNOTATION, text: 'a/b/c' },
  { name: 'a default route', annotation: MULTUS_ANNOTATION, text: '[{"name":"a","default-route":["10.0.0.1"]}]' },
  { name: 'a bad hardware address', annotation: MULTUS_ANNOTATION, text: '[{"name":"a","mac":"x"}]' },
]

for (const { name, annotation, text } of refusedCases) {
  t.test(`refused in ${annotation}: ${name}`, async t => {
    const error = await refusalOf(() => selectNetworks({ [annotation]: text }))
    t.equal(error.code, 7)
    t.ok(error.message.startsWith("the pod's networks annotation "), error.message)
    t.ok(error.message.length < 300, 'what a pod says is not quoted at length')
  })
}

t.test('random annotations give only names that are safe, or code 7', async t => {
  const random = randomInput(19)
  const whole = '[{"name":"green","namespace":"team","interface":"eth1","mac":"0a:58:0a:01:00:02","ifMac":""}]'
  const make = () => ({
    [random.pick([NETWORKS_ANNOTATION, MULTUS_ANNOTATION])]: random.pick([
      random.damaged(whole),
      random.damaged('team/green@eth1,blue'),
      random.text([...nastyPieces, 'green', '@', '/', ','], 6),
      JSON.stringify([random.json(2)]),
    ]),
  })
  const { accepted, surprises } = tryMany(
    4000,
    make,
    annotations => selectNetworks(annotations).forEach(refuseHostile),
    hasCode(7),
  )
  t.strictSame(surprises, [])
  t.ok(accepted > 300, `${accepted} were accepted`)
})

function refuseHostile({ name, namespace, ifname }: NetworkRequest): void {
  const isSafe = /^[a-z0-9.-]+$/.test(name) && !name.includes('..') && /^[a-z0-9-]+$/.test(namespace ?? 'none')
  const isInterface = ifname === undefined || interfaceNameFault(ifname) === undefined
  if (!isSafe || !isInterface) throw new Error(JSON.stringify({ name, namespace, ifname }))
}

t.test('the annotation says how one network is to be attached to a running pod', async t => {
  const wanted = plainRequest('Network', 'green', undefined)
  const own = (networks: unknown) => ({ networks: JSON.stringify(networks) })
  const mac = '02:00:00:00:00:0a'
  t.strictSame(withWishes(wanted, own([{ name: 'blue' }])), wanted, 'no word of it')
  t.strictSame(withWishes(wanted, { networks: '{' }), wanted, 'not understood')
  const found = withWishes(wanted, own([{ name: 'green', namespace: 'team', ifMac: mac, isPrimary: true }]))
  t.match(found, { name: 'green', namespace: 'team', mac, isPrimary: false })
  t.equal(
    withWishes({ ...wanted, mac: '02:00:00:00:00:0b' }, own([{ name: 'green', ifMac: mac }])).mac,
    '02:00:00:00:00:0b',
  )
  const other = { ...wanted, namespace: 'other' }
  t.strictSame(
    withWishes(other, own([{ name: 'green', namespace: 'team', ifMac: mac }])),
    other,
    'another of that name',
  )
})
