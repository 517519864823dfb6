import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { type KactusAccess, renderKubeconfig, tokenOf } from '../../../../agent/install/kubeconfig.ts'
import { readKubeconfig } from '../../../../cni/kactus/kubeconfig.ts'

const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
const bare: KactusAccess = {
  server: 'https://192.0.2.1:6443',
  caPem: undefined,
  tlsServerName: undefined,
  insecure: false,
  token: undefined,
  clientCertPem: undefined,
  clientKeyPem: undefined,
}

interface KubeconfigCase {
  readonly name: string
  readonly access: KactusAccess
}

const cases: readonly KubeconfigCase[] = [
  { name: 'a token', access: { ...bare, caPem: pem, token: 'eyJh.eyJz.x-_y' } },
  { name: 'a certificate', access: { ...bare, caPem: pem, clientCertPem: pem, clientKeyPem: `${pem}key` } },
  {
    name: 'another server name, IPv6',
    access: { ...bare, server: 'https://[2001:db8::1]:6443', tlsServerName: 'kubernetes.default', token: 't' },
  },
  { name: 'no check of the certificate', access: { ...bare, insecure: true, token: 't' } },
  { name: 'nothing but a server', access: bare },
  { name: 'text that YAML would read as something else', access: { ...bare, token: 'null', tlsServerName: '0x1f' } },
]

for (const { name, access } of cases) {
  t.test(`kubeconfig: kactus reads what was written: ${name}`, async t => {
    const path = join(t.testdir(), 'kubeconfig.yaml')
    await writeFile(path, renderKubeconfig(access))
    const read = await readKubeconfig(path)
    t.strictSame(
      { ...read, server: read.server.href },
      {
        server: `${access.server}/`,
        caPem: access.caPem,
        tlsServerName: access.tlsServerName,
        insecure: access.insecure,
        token: access.token,
        clientCertPem: access.clientCertPem,
        clientKeyPem: access.clientKeyPem,
      },
    )
    t.equal(tokenOf(renderKubeconfig(access), access.server), access.token)
    t.equal(tokenOf(renderKubeconfig(access), 'https://192.0.2.9'), undefined, 'of another server')
  })
}

t.test('kubeconfig: a proxy of the agent is one that kactus refuses by name, and does not go past', async t => {
  const path = join(t.testdir(), 'kubeconfig.yaml')
  await writeFile(path, renderKubeconfig({ ...bare, token: 't', proxyUrl: 'http://127.0.0.1:3128/' }))
  await t.rejects(readKubeconfig(path), { message: /"proxy-url"/ })
})

t.test('kubeconfig: what is written is read without the YAML parser', t => {
  const text = renderKubeconfig({ ...bare, caPem: pem, token: 't' })
  t.match(JSON.parse(text), { 'current-context': 'kactus', users: [{ user: { token: 't' } }] })
  t.end()
})

t.test('kubeconfig: a token of a file that somebody else wrote', async t => {
  const cluster = { cluster: { server: bare.server } }
  const others = [
    '',
    'users: []',
    `clusters: [{cluster: {server: "${bare.server}"}}]\nusers: [{user: {token: plain}}]`,
    JSON.stringify({ clusters: [cluster], users: [] }),
    JSON.stringify({ clusters: [cluster], users: [{ user: { token: 1 } }] }),
    JSON.stringify({ clusters: [cluster, cluster], users: [{ user: { token: 't' } }] }),
  ]
  for (const text of others) t.equal(tokenOf(text, bare.server), undefined, text)
})
