import t from 'tap'
import { planCluster } from '../../e2e/cluster/plan.ts'

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
