import { join } from 'node:path'
import t from 'tap'
import { printRecord } from '../../../../cni/networks/record.ts'
import { readRecords, recordsFolder } from '../../../../cni/networks/record-folder.ts'

function record(containerId: string): string {
  return printRecord({ containerId, netns: '', pod: undefined, attachments: [] })
}

t.test('whole records are read, the others told of, the rest passed over', async t => {
  const cniDir = t.testdir({
    records: {
      'c1.json': record('c1'),
      'c2.json': record('c1'),
      'c3.json': '',
      'c4.json.tmp': '{',
      'c5.json': {},
      'not an id.json': '{',
    },
  })
  const { records, faults } = await readRecords(cniDir)
  t.strictSame(
    records.map(({ containerId }) => containerId),
    ['c1'],
  )
  t.strictSame(
    faults.map(({ path }) => path).toSorted(),
    ['c2', 'c3', 'c5'].map(id => join(cniDir, `records/${id}.json`)),
  )
})

t.test('no folder, no records', async t => {
  t.strictSame(await readRecords(join(t.testdir({}), 'none')), { records: [], faults: [] })
})

t.test('a folder that cannot be listed is a failure', async t => {
  const cniDir = t.testdir({ records: 'a file' })
  t.equal(recordsFolder(cniDir), join(cniDir, 'records'))
  await t.rejects(readRecords(cniDir), { code: 'ENOTDIR' })
})
