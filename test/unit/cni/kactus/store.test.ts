import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { RecordStore } from '../../../../cni/kactus/store.ts'
import { printRecord } from '../../../../cni/networks/record.ts'
import { refusalOf } from '../refusal.ts'
import { aux, primary, recordOf } from './fixtures.ts'

function storeIn(t: Test, content: Parameters<Test['testdir']>[0] = {}) {
  const folder = join(t.testdir({ state: content }), 'state')
  const said: string[] = []
  return { folder, said, store: new RecordStore(folder, message => said.push(message)) }
}

const record = recordOf([primary(), aux()])

t.test('a record is written, read, listed and removed', async t => {
  const { folder, store } = storeIn(t)
  t.equal(await store.read('c1'), undefined)
  t.strictSame(await store.list(), [])
  await store.write(record, true)
  await store.write(recordOf([], { containerId: 'c2' }), false)
  t.strictSame(await store.read('c1'), record)
  t.strictSame((await store.list()).toSorted(), ['c1', 'c2'])
  t.equal(statSync(join(folder, 'records/c1.json')).mode & 0o777, 0o600)
  t.equal(statSync(join(folder, 'records')).mode & 0o777, 0o700)
  await store.remove('c1')
  await store.remove('c1')
  t.equal(await store.read('c1'), undefined)
  t.strictSame(readdirSync(join(folder, 'records')), ['c2.json'])
})

t.test('what a killed write left is never read, and goes with the record', async t => {
  const { folder, store } = storeIn(t, { records: { 'c1.json': printRecord(record), 'c1.json.tmp': '{"half' } })
  t.strictSame(await store.read('c1'), record)
  t.strictSame(await store.list(), ['c1'])
  await store.remove('c1')
  t.strictSame(readdirSync(join(folder, 'records')), [])
})

interface DamagedCase {
  readonly name: string
  readonly text: string
}

const damagedCases: readonly DamagedCase[] = [
  { name: 'of no bytes', text: '' },
  { name: 'cut in half', text: printRecord(record).slice(0, 100) },
  { name: 'of another container', text: printRecord(recordOf([], { containerId: 'c9' })) },
]

for (const { name, text } of damagedCases) {
  t.test(`a record ${name} is set aside and told of`, async t => {
    const { folder, said, store } = storeIn(t, { records: { 'c1.json': text } })
    t.equal(await store.read('c1'), undefined)
    t.strictSame(readdirSync(join(folder, 'records')), [])
    const [aside = ''] = readdirSync(join(folder, 'damaged'))
    t.match(aside, /^c1\.\d+$/)
    t.equal(readFileSync(join(folder, 'damaged', aside), 'utf8'), text, 'nothing is lost')
    t.equal(said.length, 1)
    t.match(said[0], `lies in ${join(folder, 'damaged', aside)} now`)
    t.equal(await store.read('c1'), undefined)
    t.equal(said.length, 1, 'once')
  })
}

t.test('state that cannot be', async t => {
  const { store } = storeIn(t, { records: 'a file' })
  for (const work of [
    () => store.read('c1'),
    () => store.write(record, true),
    () => store.remove('c1'),
    () => store.list(),
    () => store.prepare(),
  ]) {
    const error = await refusalOf(work)
    t.equal(error.code, 100)
    t.match(error.message, /ENOTDIR|EEXIST/)
  }
  const { store: shut } = storeIn(t, { locks: 'a file' })
  t.equal((await refusalOf(() => shut.locks.lock('c1'))).code, 100)
  t.equal((await refusalOf(() => shut.locks.lockAll())).code, 100)
  t.equal((await refusalOf(() => shut.prepare())).code, 100)
})

t.test('a record that is a folder', async t => {
  const { folder, said, store } = storeIn(t, { records: { 'c1.json': {} } })
  t.match(await refusalOf(() => store.write(record, true)), { code: 100, message: /EISDIR/ })
  t.equal(await store.read('c1'), undefined)
  t.match(said, [/is no file/])
  t.equal(readdirSync(join(folder, 'damaged')).length, 1)
  await store.write(record, true)
  t.strictSame(await store.read('c1'), record)
})

t.test('a pipe in place of the temporary file: a failure, not a wait', async t => {
  const { folder, store } = storeIn(t, { records: {} })
  execFileSync('mkfifo', [join(folder, 'records/c1.json.tmp')])
  t.match(await refusalOf(() => store.write(record, true)), { code: 100, message: /ENXIO/ })
})

t.test('a record that cannot be set aside counts as none all the same', async t => {
  const { said, store } = storeIn(t, { records: { 'c1.json': '' }, damaged: 'a file' })
  t.equal(await store.read('c1'), undefined)
  t.match(said, [/stays where it is.*EEXIST|ENOTDIR/])
})

t.test('folders are made in advance', async t => {
  const { folder, store } = storeIn(t)
  await store.prepare()
  await store.prepare()
  t.ok(existsSync(join(folder, 'records')))
  t.ok(existsSync(join(folder, 'locks')))
})

t.test('junk among the records', async t => {
  const { folder, store } = storeIn(t, { records: { 'readme.txt': '', 'c1.json': printRecord(record) } })
  writeFileSync(join(folder, 'records/.json'), 'x')
  writeFileSync(join(folder, 'records/c2.json.tmp'), 'x')
  t.strictSame((await store.list()).toSorted(), ['c1', 'c2'])
  await store.remove('c2')
  t.strictSame(await store.list(), ['c1'])
})
