import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { KactusCode } from '../../../cni/networks/codes.ts'
import { CniCode } from '../../../cni/spec/errors.ts'

const path = join(import.meta.dirname, '../../../docs/errors.md')
/** Code, name, meaning and remedy of each row. */
const rows = (await readFile(path, 'utf8'))
  .split('\n')
  .filter(line => /^\|\s*\d+\s*\|/.test(line))
  .map(line => line.split('|').map(cell => cell.trim()))
  .map(([, code, name, meaning, remedy]) => ({ code: Number(code), name, meaning, remedy }))

for (const [name, code] of Object.entries({ ...CniCode, ...KactusCode })) {
  t.test(`code ${code}, ${name}, is explained`, async t => {
    const row = rows.filter(row => row.code === code)
    t.equal(row.length, 1)
    t.equal(row[0]?.name, name)
    t.ok(row[0]?.meaning, 'when it comes')
    t.ok(row[0]?.remedy, 'what to do')
  })
}

t.test('nothing is explained that does not exist', async t => {
  const known: readonly number[] = [...Object.values(CniCode), ...Object.values(KactusCode)]
  t.strictSame(
    rows.filter(({ code }) => !known.includes(code)),
    [],
  )
})
