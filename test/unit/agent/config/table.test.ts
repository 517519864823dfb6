import t from 'tap'
import { environmentName } from '../../../../agent/config/setting.ts'
import { allSettings } from '../../../../agent/config/table.ts'

t.test('the table', async t => {
  const names = allSettings().flatMap(row => [environmentName(row), ...row.aliases])
  t.equal(new Set(names).size, names.length, 'no name means two settings')
  for (const row of allSettings()) {
    t.match(row.describe, /\S.*\.$/, `${row.key} is described`)
    if (row.fallback !== undefined)
      t.doesNotThrow(() => row.parse(row.fallback ?? ''), `${row.key} has a valid default`)
  }
})
