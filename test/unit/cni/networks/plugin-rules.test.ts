import t from 'tap'
import { networkFrom } from '../../../../cni/networks/network-object.ts'
import { namesKactus, refusePlugins } from '../../../../cni/networks/plugin-rules.ts'
import { refusalOf } from '../refusal.ts'

interface RuleCase {
  readonly name: string
  readonly spec: { readonly plugin?: string; readonly config?: unknown }
  readonly allowed?: readonly string[]
  /** What the refusal must say; undefined = it is fine. */
  readonly fault?: RegExp
}

const cases: readonly RuleCase[] = [
  { name: 'a plugin', spec: { config: { type: 'bridge', ipam: { type: 'host-local' } } } },
  { name: 'a chain without plugins is for others to refuse', spec: { config: { plugins: [] } } },
  { name: 'kactus', spec: { config: { type: 'kactus' } }, fault: /"type" leads to kactus.*: "kactus"$/ },
  { name: 'kactus, as the object says it', spec: { plugin: 'kactus' }, fault: /"plugin" leads to kactus/ },
  {
    name: 'kactus, as the object says it, under a plugin that is harmless',
    spec: { plugin: 'kactus', config: { type: 'bridge' } },
    fault: /"plugin" leads to kactus/,
  },
  { name: 'the other packager', spec: { config: { type: 'kactus-pkg' } }, fault: /leads to kactus/ },
  { name: 'in capitals', spec: { config: { type: 'KACTUS' } }, fault: /leads to kactus/ },
  { name: 'a path', spec: { config: { type: '/opt/cni/bin/kactus' } }, fault: /leads to kactus/ },
  { name: 'a path from here', spec: { config: { type: './kactus' } }, fault: /leads to kactus/ },
  { name: 'a path with a tail', spec: { config: { type: '../bin//kactus/' } }, fault: /leads to kactus/ },
  {
    name: 'in a chain',
    spec: { config: { plugins: [{ type: 'bridge' }, { type: 'kactus' }] } },
    fault: /"plugins\[1\]\.type" leads to kactus/,
  },
  {
    name: 'as an IPAM plugin',
    spec: { config: { type: 'bridge', ipam: { type: 'kactus' } } },
    fault: /"ipam\.type" leads to kactus/,
  },
  {
    name: "as flannel's delegate",
    spec: { config: { type: 'flannel', delegate: { type: 'kactus' } } },
    fault: /"delegate\.type" leads to kactus/,
  },
  {
    name: 'a key as Go reads it',
    spec: { config: { type: 'flannel', Delegate: { TYPE: 'kactus' } } },
    fault: /"Delegate\.TYPE" leads to kactus/,
  },
  {
    name: "among multus' delegates, deep",
    spec: {
      config: { type: 'multus', delegates: [{ plugins: [{ type: 'multus', delegates: [{ type: 'kactus' }] }] }] },
    },
    fault: /"delegates\[0\]\.plugins\[0\]\.delegates\[0\]\.type" leads to kactus/,
  },
  {
    name: 'through its conf',
    spec: { config: { type: 'multus', clusterNetwork: '/etc/cni/net.d/05-kactus.conflist' } },
    fault: /"clusterNetwork" leads to kactus/,
  },
  {
    name: 'through its early conf, as a container sees it',
    spec: { config: { type: 'multus-shim', clusterNetwork: '/host/etc/cni/net.d/00-kactus.conflist' } },
    fault: /"clusterNetwork" leads to kactus/,
  },
  {
    name: "through its network's name, in a list",
    spec: { config: { type: 'multus', defaultNetworks: ['a', 'kactus-net'] } },
    fault: /"defaultNetworks\[1\]" leads to kactus/,
  },
  { name: 'a link to it', spec: { config: { type: 'link' } }, fault: /"type" is kactus under another name/ },
  {
    name: 'a link to it as IPAM plugin',
    spec: { config: { type: 'bridge', ipam: { type: 'link' } } },
    fault: /"ipam\.type" is kactus under another name/,
  },
  { name: 'a name is no plugin', spec: { config: { type: 'bridge', name: 'kactus-net', bridge: 'kactus0' } } },
  { name: 'a name that begins alike', spec: { config: { type: 'kactusse' } } },
  { name: 'one that is allowed', spec: { config: { type: 'bridge' } }, allowed: ['bridge'] },
  { name: 'one that is not', spec: { config: { type: 'macvlan' } }, allowed: ['bridge'], fault: /"type" is none of/ },
  {
    name: 'one that is not, by the object',
    spec: { plugin: 'macvlan' },
    allowed: ['bridge'],
    fault: /"plugin" is none/,
  },
  {
    name: 'in another case it is another file',
    spec: { config: { type: 'Bridge' } },
    allowed: ['bridge'],
    fault: /none/,
  },
  {
    name: 'an IPAM plugin that is not',
    spec: { config: { type: 'bridge', ipam: { type: 'dhcp' } } },
    allowed: ['bridge', 'host-local'],
    fault: /"ipam\.type" is none of "allowedPlugins": "dhcp"/,
  },
  { name: 'none is allowed', spec: { config: { type: 'bridge' } }, allowed: [], fault: /none of/ },
  {
    name: 'kactus is not, even if listed',
    spec: { config: { type: 'kactus' } },
    allowed: ['kactus'],
    fault: /leads to/,
  },
]

for (const { name, spec, allowed, fault } of cases) {
  t.test(`plugins of a network: ${name}`, async t => {
    const config = spec.config === undefined ? {} : { config: JSON.stringify(spec.config) }
    const object = networkFrom('Network', {
      metadata: { namespace: 'team', name: 'green' },
      spec: { ...spec, ...config },
    })
    const check = async () => refusePlugins(object, { allowed, isKactus: plugin => plugin === 'link' })
    if (fault === undefined) return void (await t.resolves(check()))
    const error = await refusalOf(check)
    t.equal(error.code, 111)
    t.match(error.message, fault)
    t.match(error.message, /^Network team\/green: /)
  })
}

t.test('names of kactus', async t => {
  for (const name of ['kactus', ' kactus ', 'a/kactus', 'a\\kactus', 'kactus.new', 'Kactus'])
    t.ok(namesKactus(name), name)
  for (const name of ['', '/', 'cactus', 'mykactus', 'kactus0', '05-kactusx']) t.notOk(namesKactus(name), name)
})
