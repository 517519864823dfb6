import { readFile } from 'node:fs/promises'
import t from 'tap'
import { reasonsPage, renderReasons } from '../../scripts/reasons-page.ts'

t.test('docs/reasons.md has every reason that the code can give', async t => {
  t.equal(await readFile(reasonsPage, 'utf8'), renderReasons())
})
