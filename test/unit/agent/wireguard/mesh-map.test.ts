import t from 'tap'
import { createMeshMap } from '../../../../agent/wireguard/mesh-map.ts'
import { facts, network } from './mesh.ts'
import { keyPair } from './samples.ts'

function pods(...networks: Parameters<typeof network>[]): readonly string[] {
  const map = createMeshMap({ ...facts, networks: networks.map(each => network(...each)) })
  return map.pods.map(({ node, prefix }) => `${node} ${prefix.text}`)
}

t.test('each agent is believed about its own node alone', async t => {
  t.strictSame(pods([2], [3]), ['n2 10.42.2.0/24', 'n3 10.42.3.0/24'])
  t.strictSame(
    pods([2], [3, { podCIDRs: ['0.0.0.0/0', '::/0', '128.0.0.0/1', 'junk'] }]),
    ['n2 10.42.2.0/24'],
    'half the internet',
  )
  t.strictSame(
    pods([2], [3, { podCIDRs: ['203.0.113.0/24', '10.42.3.0/24'] }]),
    ['n2 10.42.2.0/24', 'n3 10.42.3.0/24'],
    'where another node is',
  )
  t.strictSame(pods([2, { endpoint: '10.42.2.9' }]), ['n2 10.42.2.0/24'], 'a node inside its own pods')
})

t.test('where a node is to be reached', async t => {
  const map = createMeshMap({ ...facts, networks: [network(1), network(2), network(3, { endpoint: undefined })] })
  const key = (number: number) => keyPair(number).publicKey
  t.strictSame(map.nodeOf(key(2))?.endpointOf(key(2)), { address: '203.0.113.2', port: 51821 })
  t.equal(map.nodeOf(key(3))?.endpointOf(key(3)), undefined)
  t.equal(map.nodeOf(key(1)), undefined, 'this node is no peer of its own')
  t.equal(map.nodeOf(key(9)), undefined)
  t.strictSame(
    map.others.map(({ name }) => name),
    ['n2', 'n3'],
  )
})
