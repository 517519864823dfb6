import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  chooseEndpoint,
  type EndpointCandidates,
  readNetclientEndpoint,
} from '../../../../agent/wireguard/own-endpoint.ts'

const node: EndpointCandidates = {
  setting: undefined,
  expectExternal: true,
  addresses: [
    { type: 'InternalIP', address: '192.168.1.7' },
    { type: 'Hostname', address: 'n1' },
    { type: 'ExternalIP', address: '203.0.113.7' },
  ],
  netclient: '198.51.100.7',
  inside: ['10.42.1.0/24', '10.101.0.1/24'],
}
const internal = [{ type: 'InternalIP', address: '192.168.1.7' }]

const cases: readonly { name: string; more: Partial<EndpointCandidates>; want: string | undefined }[] = [
  { name: 'the external address', more: {}, want: '203.0.113.7' },
  { name: 'the setting above all', more: { setting: '198.51.100.99' }, want: '198.51.100.99' },
  { name: 'what netclient says', more: { addresses: internal }, want: '198.51.100.7' },
  { name: 'the internal one', more: { addresses: internal, netclient: undefined }, want: '192.168.1.7' },
  { name: 'on a LAN', more: { expectExternal: false }, want: '192.168.1.7' },
  { name: 'on a LAN without one', more: { expectExternal: false, addresses: [] }, want: '198.51.100.7' },
  {
    name: 'not the address inside the mesh',
    more: { addresses: [{ type: 'InternalIP', address: '10.101.0.1' }], netclient: '10.42.1.9' },
    want: undefined,
  },
  {
    name: 'not a name',
    more: { addresses: [{ type: 'ExternalIP', address: 'host.example' }], netclient: undefined },
    want: undefined,
  },
  { name: 'nothing', more: { addresses: [], netclient: undefined }, want: undefined },
]

for (const { name, more, want } of cases) {
  t.test(`own endpoint: ${name}`, async t => {
    t.equal(chooseEndpoint({ ...node, ...more }), want)
  })
}

t.test("netclient's own view", async t => {
  const root = t.testdir({})
  t.equal(await readNetclientEndpoint(root), undefined, 'no netclient')
  mkdirSync(join(root, 'etc/netclient'), { recursive: true })
  const say = async (text: string) => {
    writeFileSync(join(root, 'etc/netclient/netclient.json'), text)
    return readNetclientEndpoint(root)
  }
  t.equal(await say('{"privatekey":[1,2],"endpointip":"203.0.113.7","listenport":51821}'), '203.0.113.7')
  t.equal(await say('{\n  "endpointip" : "2001:DB8::7"\n}'), '2001:db8::7')
  for (const text of [
    '',
    '{}',
    '{"endpointip":null}',
    '{"endpointip":""}',
    '{"endpointip":"<nil>"}',
    '{"endpointip":"1.2"',
  ])
    t.equal(await say(text), undefined, text)
})
