import { readdirSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t from 'tap'
import { documentOf, KactusBed, programs } from './kactus-bed.ts'

/** A pod or a network that means harm. None may reach a plugin. */
interface Attack {
  readonly name: string
  readonly networks?: unknown
  readonly annotations?: Readonly<Record<string, string>>
  readonly config?: unknown
  readonly args?: string
  readonly code: number
}

const long = 'a'.repeat(300)
const multus = (text: string) => ({ 'k8s.v1.cni.cncf.io/networks': text })
const badNames = [
  '',
  '/',
  '..',
  '../../../../api/v1/namespaces/default/pods/p1',
  'a/b',
  'a\0b',
  'a;b=c',
  'a=b',
  'a"b',
  "a'b",
  'a\nb',
  'A',
  'ä',
  '-a',
  'a-',
  'a..b',
  'a%2fb',
  long,
  '__proto__',
  5,
  null,
  {},
  [],
]

const attacks: readonly Attack[] = [
  ...badNames.map(name => ({
    name: `network named ${JSON.stringify(name).slice(0, 40)}`,
    networks: [{ name }],
    code: 7,
  })),
  ...['/', '..', 'a/b', 'a.b', 'a;b', long.slice(0, 64), 5, {}].map(namespace => ({
    name: `namespace ${JSON.stringify(namespace).slice(0, 40)}`,
    networks: [{ name: 'green', namespace }],
    code: 7,
  })),
  ...['x', '02:00:00:00:00', '02:00:00:00:00:01;A=B', '02:00:00:00:00:01\n', '01:00:00:00:00:01', 5, {}].map(ifMac => ({
    name: `ifMac ${JSON.stringify(ifMac)}`,
    networks: [{ name: 'green', ifMac }],
    code: 7,
  })),
  ...[
    '{',
    '{}',
    '5',
    '"green"',
    'green',
    '[5]',
    '["green"]',
    '[[]]',
    `${'['.repeat(5000)}${']'.repeat(5000)}`,
    '[{"name":"green"}',
  ].map(networks => ({
    name: `annotation ${networks.slice(0, 20)}`,
    networks,
    code: 7,
  })),
  { name: 'isPrimary is no boolean', networks: [{ name: 'green', isPrimary: 'yes' }], code: 7 },
  {
    name: 'two primaries',
    networks: [
      { name: 'green', isPrimary: true },
      { name: 'blue', isPrimary: true },
    ],
    code: 7,
  },
  { name: 'one network twice', networks: [{ name: 'green' }, { name: 'green' }], code: 7 },
  {
    name: 'one name in two namespaces',
    networks: [{ name: 'green' }, { name: 'green', namespace: 'default' }],
    code: 7,
  },
  { name: 'two names with one interface name', networks: [{ name: 'net-2fyyc' }, { name: 'net-fd8kk' }], code: 7 },
  { name: '65 networks', networks: Array.from({ length: 65 }, (_, i) => ({ name: `n${i}` })), code: 7 },
  {
    name: 'more networks than an annotation can hold',
    networks: `[${'{"name":"green"},'.repeat(15000)}{"name":"green"}]`,
    code: 7,
  },
  { name: 'text form: path', annotations: multus('../green'), code: 7 },
  { name: 'text form: three parts', annotations: multus('a/b/c'), code: 7 },
  { name: 'text form: two @', annotations: multus('green@a@b'), code: 7 },
  { name: 'text form: interface with a slash', annotations: multus('green@a/b'), code: 7 },
  { name: 'text form: interface too long', annotations: multus('green@1234567890123456'), code: 7 },
  { name: 'an interface over eth0', annotations: multus('[{"name":"green","interface":"eth0"}]'), code: 7 },
  {
    name: 'a default route we would not set',
    annotations: multus('[{"name":"green","default-route":["10.0.0.1"]}]'),
    code: 7,
  },
  { name: 'cni-args is no object', annotations: multus('[{"name":"green","cni-args":"x"}]'), code: 7 },
  ...['{', '[]', '5', 'null', `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`].map(config => ({
    name: `config ${config.slice(0, 20)}`,
    networks: [{ name: 'green' }],
    config,
    code: 7,
  })),
  ...['../../bin/sh', '/bin/sh', 'a/b', '', '.', '..', 'a\0b', long, 5, null, {}].map(type => ({
    name: `plugin type ${JSON.stringify(type).slice(0, 40)}`,
    networks: [{ name: 'green' }],
    config: { type },
    code: 7,
  })),
  { name: 'config without a type', networks: [{ name: 'green' }], config: {}, code: 7 },
  {
    name: 'config with a name that is a path',
    networks: [{ name: 'green' }],
    config: { type: 'fake-b', name: '../x' },
    code: 7,
  },
  {
    name: 'config with an unknown version',
    networks: [{ name: 'green' }],
    config: { type: 'fake-b', cniVersion: '7.0.0' },
    code: 1,
  },
  { name: 'config with no plugins', networks: [{ name: 'green' }], config: { plugins: [] }, code: 7 },
  {
    name: 'config with a chain that has a path in it',
    networks: [{ name: 'green' }],
    config: { plugins: [{ type: 'fake-b' }, { type: '../x' }] },
    code: 7,
  },
  ...[
    'K8S_POD_NAME=../p1;K8S_POD_NAMESPACE=default',
    'K8S_POD_NAME=p1;K8S_POD_NAMESPACE=../x',
    'K8S_POD_NAME=p1',
    'K8S_POD_NAMESPACE=default',
    `K8S_POD_NAME=${long};K8S_POD_NAMESPACE=default`,
  ].map(args => ({
    name: `CNI_ARGS ${args.slice(0, 40)}`,
    args: `IgnoreUnknown=1;${args}`,
    code: 4,
  })),
  ...['../x', 'a/b/c', '/', 'x;y', '__proto__', long].map(network => ({
    name: `K8S_POD_NETWORK ${network.slice(0, 20)}`,
    args: `IgnoreUnknown=1;K8S_POD_NAME=p1;K8S_POD_NAMESPACE=default;K8S_POD_NETWORK=${network}`,
    code: 4,
  })),
  {
    name: 'K8S_POD_IFMAC',
    args: 'IgnoreUnknown=1;K8S_POD_NAME=p1;K8S_POD_NAMESPACE=default;K8S_POD_NETWORK=green;K8S_POD_IFMAC=x',
    code: 4,
  },
  { name: 'K8S_POD_NETWORK without a pod', args: 'IgnoreUnknown=1;K8S_POD_NETWORK=green', code: 4 },
]

for (const program of programs) {
  t.test(basename(program), async t => {
    const bed = await KactusBed.make(t, program)
    const around = readdirSync(bed.folder).toSorted()
    for (const { name, networks, annotations, config, args, code } of attacks) {
      for (const network of ['green', 'blue', 'net-2fyyc', 'net-fd8kk'])
        bed.putNetwork(network, config ?? { type: 'fake-b' })
      const nad = { metadata: { name: 'green', namespace: 'default' }, spec: { config: '{"type":"fake-b"}' } }
      bed.agent.putNetwork('NetworkAttachmentDefinition', 'default', 'green', nad)
      bed.putPod(networks, annotations)
      const answer = await bed.add(args === undefined ? {} : { args })
      t.match({ exit: answer.code, ...documentOf(answer) }, { exit: 1, code, msg: /./ }, name)
      t.ok(answer.stdout.length < 2000, `${name}: the message is short`)
    }
    t.same(bed.calls(), [], 'no plugin ran')
    t.same(bed.state(), [], 'nothing is on record')
    t.same(readdirSync(bed.folder).toSorted(), around, 'nothing was written elsewhere')

    t.test('the names of a collision are in the message', async t => {
      bed.putPod([{ name: 'net-2fyyc' }, { name: 'net-fd8kk' }])
      t.match(documentOf(await bed.add()).msg, /net-2fyyc.*net-fd8kk.*net37615c777f63/)
    })

    t.test('stdin without end is cut off', async t => {
      const huge = `{"cniVersion":"1.0.0","name":"n","x":"${'y'.repeat(100 * 1024 * 1024)}"}`
      t.match(documentOf(await bed.run('ADD', { conf: huge })), { code: 5 })
    })

    t.test('deep stdin', async t => {
      const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`
      t.match(documentOf(await bed.run('ADD', { conf: deep })), { code: 6 })
    })

    t.test('a plugin that answers without end, in the depth, or floods stderr', async t => {
      const own = await KactusBed.make(t, program)
      await writeFile(join(own.bin, 'flood'), '#!/bin/sh\n[ "$CNI_COMMAND" = ADD ] || exit 0\nexec cat /dev/zero\n')
      await chmod(join(own.bin, 'flood'), 0o755)
      t.match(documentOf(await own.run('ADD', { conf: own.conf({ delegates: [{ type: 'flood' }] }) })), {
        code: 107,
        msg: /bytes/,
      })
      await own.order('fake-a', 'ADD', 'out', `${'['.repeat(100_000)}${']'.repeat(100_000)}`)
      t.match(documentOf(await own.run('ADD')), { code: 107 })
      await own.order(
        'fake-a',
        'ADD',
        'out',
        '{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.1/24"}],"x":12345678901234567890}',
      )
      const answer = await own.run('ADD')
      t.match(answer.stdout, '"x":12345678901234567890', 'numbers of a result are kept too')
      t.equal((await own.run('DEL')).code, 0)
    })
  })
}
