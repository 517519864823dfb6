import t from 'tap'
import { leadsToKactus } from '../../../../agent/install/leads-to-kactus.ts'
import { confListFrom } from '../../../../cni/spec/conf.ts'
import type { NetworkFile } from '../../../../cni/spec/conf-folder.ts'
import type { JsonObject } from '../../../../cni/spec/json.ts'

const folder = '/etc/cni/net.d'

interface Case {
  readonly name: string
  readonly plugin: JsonObject
  /** Other files of the folder: name to plugin. */
  readonly others?: Readonly<Record<string, JsonObject>>
  readonly leads: boolean
}

const multus = (more: JsonObject): JsonObject => ({ type: 'multus', kubeconfig: '/etc/cni/net.d/multus.d/c', ...more })
const bridge: JsonObject = {
  type: 'bridge',
  bridge: 'cni0',
  ipam: { type: 'host-local', dataDir: '/var/lib/cni/kactus' },
}
const others = { '10-cbr0.conflist': bridge, '20-genie.conf': { type: 'genie', default_plugin: 'weave,kactus' } }

const cases: readonly Case[] = [
  { name: 'a plain network', plugin: bridge, leads: false },
  { name: 'a bridge of that name', plugin: { type: 'bridge', bridge: 'kactus' }, leads: false },
  { name: 'kactus', plugin: { type: 'kactus', delegates: [] }, leads: true },
  {
    name: 'a delegate of a meta plugin',
    plugin: multus({ delegates: [{ name: 'k', plugins: [{ type: 'kactus' }] }] }),
    leads: true,
  },
  {
    name: 'the path of our conf',
    plugin: multus({ clusterNetwork: '/etc/cni/net.d/05-kactus.conflist' }),
    leads: true,
  },
  {
    name: 'its path in a container',
    plugin: multus({ clusterNetwork: '/host/etc/cni/net.d/05-kactus.conflist' }),
    leads: true,
  },
  { name: 'the path of its early copy', plugin: multus({ clusterNetwork: '/x/00-kactus.conflist' }), leads: true },
  { name: "our network's name", plugin: multus({ clusterNetwork: 'kactus-net' }), leads: true },
  { name: 'with its namespace', plugin: multus({ clusterNetwork: 'kube-system/kactus-net' }), leads: true },
  { name: "our file's name", plugin: multus({ clusterNetwork: '05-kactus' }), leads: true },
  {
    name: 'one of several',
    plugin: multus({ clusterNetwork: 'cbr0', defaultNetworks: ['a', 'kactus-net@eth1'] }),
    leads: true,
  },
  { name: 'a list in a text', plugin: { type: 'genie', default_plugin: 'weave, kactus' }, leads: true },
  { name: 'the folder', plugin: multus({ clusterNetwork: '/host/etc/cni/net.d/' }), leads: true },
  {
    name: 'where names are looked up',
    plugin: multus({ clusterNetwork: 'cbr0', confDir: '/etc/cni/net.d' }),
    leads: false,
  },
  {
    name: "another's path",
    plugin: multus({ clusterNetwork: '/host/etc/cni/net.d/10-cbr0.conflist' }),
    others,
    leads: false,
  },
  { name: "another's name", plugin: multus({ clusterNetwork: 'cbr0' }), others, leads: false },
  {
    name: 'by way of another file',
    plugin: multus({ clusterNetwork: '/host/etc/cni/net.d/20-genie.conf' }),
    others,
    leads: true,
  },
  { name: 'by way of another name', plugin: multus({ clusterNetwork: 'net-20-genie.conf' }), others, leads: true },
  {
    name: 'two that refer to each other',
    plugin: multus({ clusterNetwork: 'net-30.conf' }),
    others: { '30.conf': multus({ clusterNetwork: 'net-15.conf' }) },
    leads: false,
  },
]

for (const { name, plugin, others = {}, leads } of cases) {
  t.test(`the way back: ${name}`, async t => {
    const file = fileOf('15.conf', plugin)
    const all = [file, ...Object.entries(others).map(([path, each]) => fileOf(path, each))]
    t.equal(leadsToKactus(file, all, folder), leads)
  })
}

function fileOf(name: string, plugin: JsonObject): NetworkFile {
  const path = `/host/etc/cni/net.d/${name}`
  const list = confListFrom({ name: name === '10-cbr0.conflist' ? 'cbr0' : `net-${name}`, plugins: [plugin] })
  return { kind: 'network', path, list, sources: [path] }
}
