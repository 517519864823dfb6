import t from 'tap'
import { meshConfig } from '../../e2e/cluster/mesh.ts'
import { nodePlans, planCluster } from '../../e2e/cluster/plan.ts'

interface NameRow {
  readonly name: string
  readonly id: string
  readonly good: boolean
}

// The name becomes part of folders that are removed whole, and of control groups.
const names: readonly NameRow[] = [
  { name: 'the default', id: 'main', good: true },
  { name: 'letters and digits', id: 't0a1b2c3d', good: true },
  { name: 'nothing', id: '', good: false },
  { name: 'a path', id: '../x', good: false },
  { name: 'a hyphen, which would make it the prefix of another', id: 'a-b', good: false },
  { name: 'a flag', id: '--name', good: false },
  { name: 'capitals', id: 'Main', good: false },
  { name: 'a line end', id: 'main\n', good: false },
  { name: 'too long', id: 'a'.repeat(17), good: false },
]

for (const { name, id, good } of names) {
  t.test(`cluster name: ${name}`, async t => {
    if (good) t.equal(planCluster(id, '/cache').folder, `/cache/clusters/${id}`)
    else t.throws(() => planCluster(id, '/cache'), /small letters and digits/)
  })
}

t.test('the mesh leads each peer its own addresses and its pods', async t => {
  const [first, second] = nodePlans
  if (first === undefined || second === undefined) throw new Error('two nodes')
  const podCidrs = new Map([
    [first.name, '10.42.0.0/24'],
    [second.name, '10.42.1.0/24'],
  ])
  const text = meshConfig({ privateKey: 'own=' }, [{ plan: second, publicKey: 'other=' }], podCidrs)
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
