import t from 'tap'
import { allSettings } from '../../../agent/config/table.ts'
import { interfaceName } from '../../../cni/networks/interface-name.ts'
import { confListOf, networkFrom } from '../../../cni/networks/network-object.ts'
import { selectNetworks } from '../../../cni/networks/selection.ts'
import { readObjects, readText } from './manifests.ts'

const examples = readObjects().filter(({ file }) => file.startsWith('examples/'))
const networks = examples.filter(({ kind }) => kind === 'Network')
const apps = examples.filter(({ kind }) => kind === 'Deployment')

interface DeploymentSpec {
  readonly template: { readonly metadata: { readonly annotations: Readonly<Record<string, string>> } }
}

interface NodePoolSpec {
  readonly template: { readonly spec: { readonly startupTaints: readonly object[] } }
}

t.test('kactus takes every example network', async t => {
  t.same(networks.map(({ file }) => file).sort(), [
    'examples/blue-net.yaml',
    'examples/green-net.yaml',
    'examples/vlan/blue-net.yaml',
    'examples/vlan/green-net.yaml',
  ])
  for (const network of networks) {
    const list = confListOf(networkFrom('Network', network), '1.1.0')
    t.equal(list.name, network.metadata.name, network.file)
    t.equal(list.plugins.length, 1)
  }
})

t.test('the example pods ask for networks that are there', async t => {
  t.same(apps.map(({ metadata }) => metadata.name).sort(), ['app1', 'app2'])
  for (const app of apps) {
    const { annotations } = (app.spec as DeploymentSpec).template.metadata
    const asked = selectNetworks(annotations).map(({ name }) => name)
    t.same(asked, ['green', 'blue'])
    for (const name of asked) {
      t.ok(networks.some(({ metadata }) => metadata.name === name && metadata.namespace === app.metadata.namespace))
      t.match(readText(app.file), interfaceName(name), 'and say how the interfaces are called')
    }
  }
})

t.test('nodes of the example NodePool come up with the taint that the agent lifts', t => {
  const pools = examples.filter(({ kind }) => kind === 'NodePool')
  const taints = pools.map(({ spec }) => (spec as NodePoolSpec).template.spec.startupTaints)
  const taint = allSettings().filter(({ section, key }) => section === 'gate' && key.startsWith('taint-'))
  const wanted = Object.fromEntries(taint.map(({ key, fallback }) => [key.replace('taint-', ''), fallback]))
  t.same(taints, [[wanted]])
  t.end()
})
