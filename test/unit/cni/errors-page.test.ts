import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { KactusCode } from '../../../cni/networks/codes.ts'
import { CniCode } from '../../../cni/spec/errors.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8')
const rows = page.split('\n').flatMap(line => {
  const cells = /^\| (\d+) \| (\w+) \|/.exec(line)
  return cells === null ? [] : [[cells[2], Number(cells[1])]]
})

t.test('docs/errors.md lists every code by its name, and no other', async t => {
  t.strictSame(Object.fromEntries(rows), { ...CniCode, ...KactusCode })
})
