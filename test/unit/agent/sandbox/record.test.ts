import { deepStrictEqual } from 'node:assert/strict'
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import {
  parseRecord,
  printRecord,
  readRecords,
  removeRecord,
  type SandboxRecord,
  writeRecord,
} from '../../../../agent/sandbox/record.ts'
import { confListFrom } from '../../../../cni/spec/conf.ts'
import { parseJson } from '../../../../cni/spec/json.ts'
import { randomInput, tryMany } from '../../cni/random-input.ts'

const text = `{"schema":1,"containerId":"nopal-probe-1","list":{"name":"net","cniVersion":"1.0.0","plugins":[{"type":"bridge","mtu":12345678901234567890}]}}`
const record = parseRecord(text) as SandboxRecord

t.test('a record reads back as it was written, numbers included', async t => {
  t.ok(record)
  t.equal(printRecord(record), text)
  t.strictSame(
    record.list,
    confListFrom(
      parseJson(
        '{"name":"net","cniVersion":"1.0.0","plugins":[{"type":"bridge","mtu":12345678901234567890}]}',
      ) as never,
    ),
  )
  const folder = join(t.testdir(), 'a/b')
  await writeRecord(folder, record)
  t.equal((await stat(join(folder, 'nopal-probe-1.json'))).mode & 0o777, 0o600)
  t.strictSame(await readRecords(folder), [{ path: join(folder, 'nopal-probe-1.json'), record }])
  await removeRecord(folder, 'nopal-probe-1')
  await removeRecord(folder, 'nopal-probe-1')
  t.strictSame(await readdir(folder), [])
})

t.test('a folder that is missing holds none; strays are told apart', async t => {
  const folder = t.testdir({ 'x.json': '{', '.y.json.tmp': text, 'z.txt': text, locks: {} })
  t.strictSame(await readRecords(join(folder, 'missing')), [])
  t.strictSame(await readRecords(folder), [{ path: join(folder, 'x.json'), record: undefined }])
  await mkdir(join(folder, 'd.json'))
  await writeFile(join(folder, 'ok.json'), text)
  t.strictSame(
    (await readRecords(folder)).map(each => each.record?.containerId),
    [undefined, 'nopal-probe-1', undefined],
  )
})

const junk = [
  '',
  'null',
  '[]',
  '{}',
  text.replace('"schema":1', '"schema":2'),
  text.replace('nopal-probe-1', '../../etc/passwd'),
  text.replace('"containerId":"nopal-probe-1"', '"containerId":1'),
  text.replace('"plugins":[{"type":"bridge"', '"plugins":[{"type":"../bridge"'),
  text.replace('"name":"net",', ''),
]
for (const each of junk) {
  t.test(`no record: ${each.slice(0, 70)}`, t => {
    t.equal(parseRecord(each), undefined)
    t.end()
  })
}

t.test('random texts: what is taken for a record has safe names and reads back as it was printed', async t => {
  const random = randomInput(7)
  let taken = 0
  const { surprises } = tryMany(
    2000,
    () => random.damaged(text),
    damaged => {
      const found = parseRecord(damaged)
      if (found === undefined) return
      taken++
      deepStrictEqual(parseRecord(printRecord(found)), found)
      const names = [found.containerId, ...found.list.plugins.map(({ type }) => type)]
      if (names.some(name => /[/\0]|^\.*$/.test(name))) throw new Error(`a path among ${names.join(', ')}`)
    },
    () => false,
  )
  t.strictSame({ surprises, some: taken > 100, notAll: taken < 1900 }, { surprises: [], some: true, notAll: true })
})
