import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { API, isUnionType, type StringLiteralType } from 'typescript/unstable/sync'
import type { DeleteReason, HoldReason, WriteReason } from '../../agent/netmaker/actions.ts'
import type { EffectCause } from '../../agent/netmaker/effect.ts'
import type { Unmatched } from '../../agent/netmaker/memberships.ts'
import type { PoolReason } from '../../agent/pool/plan.ts'
import type { Reason } from '../../agent/verdict/reasons.ts'

const root = join(import.meta.dirname, '../..')

/** Whatever the code gives as a reason. */
type Told =
  | Reason
  | PoolReason
  | WriteReason
  | DeleteReason
  | HoldReason
  | EffectCause
  | Unmatched['reason']
  | 'InEffect'

/** Every word that `Told` allows, as the compiler knows it. */
function reasonsOfCode(): readonly Told[] {
  const api = new API({ cwd: root })
  try {
    const [project] = api.updateSnapshot({ openProjects: [join(root, 'tsconfig.json')] }).getProjects()
    const source = project?.program.getSourceFile(import.meta.filename)?.text ?? ''
    const type = project?.checker.getTypeAtPosition(import.meta.filename, source.indexOf('Told ='))
    if (type === undefined || !isUnionType(type)) throw new Error('the compiler does not know the reasons')
    return type.getTypes().map(each => (each as StringLiteralType).value as Told)
  } finally {
    api.close()
  }
}

/** The first column of each row, without its quotes; a row that lacks a sentence is a fault. */
async function rowsOfPage(): Promise<readonly string[]> {
  const lines = (await readFile(join(root, 'docs/reasons.md'), 'utf8')).split('\n')
  const rows = lines.filter(line => line.startsWith('|') && !/^\| reason \||^\|---/.test(line))
  return rows.map(row => /^\| `(\w+)` \| \S[^|]+ \| \S[^|]+ \|$/.exec(row)?.[1] ?? `not a row: ${row}`)
}

t.test('docs/reasons.md says of every reason what it means and what to do, once, and of nothing else', async t => {
  t.strictSame((await rowsOfPage()).toSorted(), reasonsOfCode().toSorted())
})
