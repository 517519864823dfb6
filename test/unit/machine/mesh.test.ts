import t from 'tap'
import { meshConfig } from '../../machine/mesh.ts'

t.test('the mesh leads each peer its own addresses and its pods', async t => {
  const peer = { publicKey: 'other=', address: '203.0.113.2', meshAddress: '10.50.0.2', podCidr: '10.42.1.0/24' }
  const text = meshConfig({ privateKey: 'own=', port: 51821, peers: [peer], keepaliveSeconds: 25 })
  t.equal(
    text,
    `[Interface]
PrivateKey = own=
ListenPort = 51821
[Peer]
PublicKey = other=
Endpoint = 203.0.113.2:51821
AllowedIPs = 10.50.0.2/32, 10.42.1.0/24
PersistentKeepalive = 25
`,
  )
})
