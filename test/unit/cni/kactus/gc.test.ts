import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { gc } from '../../../../cni/kactus/gc.ts'
import type { ContainerRecord } from '../../../../cni/networks/record.ts'
import { failing } from '../fake-runner.ts'
import { refusalOf } from '../refusal.ts'
import { Bench } from './bench.ts'
import { aux, BLUE, GREEN, hotplugged, primary, recordOf } from './fixtures.ts'

const KEY = 'cni.dev/valid-attachments'
const alive = { containerID: 'c1', ifname: 'eth0' }
const request = { request: { args: '', containerId: '', ifname: '', netns: '' } }

function asked(valid: unknown) {
  return { conf: { [KEY]: valid }, ...request }
}

async function filled(bench: Bench, ...records: readonly ContainerRecord[]): Promise<void> {
  for (const record of records) await bench.store.write(record, true)
}

const gone = recordOf([primary(), aux(), hotplugged()], { containerId: 'c2' })

t.test('no list: nothing is done', async t => {
  const bench = new Bench(t)
  await filled(bench, gone)
  await gc(bench.call('GC', { conf: {}, ...request }))
  await gc(bench.call('GC', asked(null)))
  t.strictSame(bench.runner.trace, [])
  t.strictSame(await bench.store.list(), ['c2'])
})

t.test('what the runtime no longer knows is undone, the rest told of', async t => {
  const bench = new Bench(t)
  await filled(bench, recordOf([primary(), aux()]), gone)
  await gc(bench.call('GC', asked([alive])))
  t.strictSame(bench.runner.trace, [`DEL hot ${BLUE}`, `DEL aux ${GREEN}`, 'DEL main eth0', 'GC main', 'GC aux'])
  t.ok(bench.runner.calls.slice(0, 3).every(({ variables }) => variables.CNI_CONTAINERID === 'c2'))
  t.strictSame(bench.runner.calls[3]?.config[KEY], [alive])
  t.strictSame(bench.runner.calls[4]?.config[KEY], [{ containerID: 'c1', ifname: GREEN }])
  t.strictSame(await bench.store.list(), ['c1'])
  t.strictSame(bench.files(), ['records/c1.json'])
})

t.test('an empty list: nothing lives', async t => {
  const bench = new Bench(t)
  await filled(bench, gone)
  await gc(bench.call('GC', asked([])))
  t.strictSame(bench.files(), [])
  t.strictSame(bench.runner.calls.at(-1)?.config[KEY], [])
})

t.test("another configuration's containers are not judged", async t => {
  const bench = new Bench(t)
  await filled(bench, recordOf([primary({ conf: 'other' })], { containerId: 'c3' }))
  await gc(bench.call('GC', asked([])))
  t.notOk(bench.runner.trace.some(line => line.startsWith('DEL')))
  t.strictSame(await bench.store.list(), ['c3'])
})

interface NetnsCase {
  readonly netns: string
  readonly want: string
}

const named = join(t.testdir({ namespace: t.fixture('symlink', '/proc/self/ns/net') }), 'namespace')

const netnsCases: readonly NetnsCase[] = [
  { netns: named, want: named },
  { netns: '/run/netns/none-such', want: '' },
  { netns: '/proc/self/ns/net', want: '' },
]

for (const { netns, want } of netnsCases) {
  t.test(`a stale container in ${netns} is undone in "${want}"`, async t => {
    const bench = new Bench(t)
    await filled(bench, recordOf([primary()], { netns }))
    await gc(bench.call('GC', asked([])))
    t.equal(bench.runner.calls[0]?.variables.CNI_NETNS, want)
  })
}

t.test('a container that somebody works on is not left over', async t => {
  const bench = new Bench(t)
  await filled(bench, recordOf([primary()]))
  const lock = await bench.store.locks.lock('c1')
  await gc(bench.call('GC', asked([])))
  t.strictSame(await bench.state(), ['eth0 added'])
  lock.release()
  await gc(bench.call('GC', asked([])))
  t.strictSame(bench.files(), [])
})

t.test('a container that came after GC began is not left over: its runtime could not tell of it', async t => {
  const bench = new Bench(t)
  await filled(bench, recordOf([primary()]))
  await gc(bench.call('GC', { ...asked([]), startedMs: Date.now() - 60_000 }))
  t.strictSame(await bench.state(), ['eth0 added'])
  t.notOk(bench.runner.trace.some(line => line.startsWith('DEL')))
  await gc(bench.call('GC', { ...asked([]), startedMs: Date.now() + 60_000 }))
  t.strictSame(bench.files(), [])
})

t.test('what writes of killed commands have left goes', async t => {
  const bench = new Bench(t)
  await filled(bench, recordOf([primary()]))
  const records = join(bench.folder, 'records')
  for (const name of ['gone.json.tmp', 'c1.json.tmp', 'theirs.txt', '.odd.json'])
    writeFileSync(join(records, name), '{')
  mkdirSync(join(records, 'folder.json'))
  await gc(bench.call('GC', asked([{ containerID: 'c1', ifname: 'eth0' }])))
  t.strictSame(readdirSync(records).toSorted(), ['.odd.json', 'c1.json', 'c1.json.tmp', 'theirs.txt'])
  await gc(bench.call('GC', asked([])))
  t.strictSame(readdirSync(records).toSorted(), ['.odd.json', 'theirs.txt'])
})

for (const code of [1, 4]) {
  t.test(
    `a delegate that knows no GC and says so with code ${code} is no failure; those after it are asked`,
    async t => {
      const bench = new Bench(t)
      const plugins = [{ type: 'old' }, { type: 'main' }]
      const delegates = [{ name: 'default', cniVersion: '1.1.0', plugins }]
      const runner = bench.plays(failing({ 'GC old': code }))
      await gc(bench.call('GC', { conf: { delegates, 'cni.dev/valid-attachments': [] } }))
      t.strictSame(runner.trace, ['GC old', 'GC main'])
    },
  )
}

t.test('over failures, all of which are told', async t => {
  const bench = new Bench(t)
  await filled(bench, recordOf([primary(), aux()]), gone)
  bench.plays(failing({ [`DEL aux ${GREEN}`]: 60, 'GC main': 61 }))
  const error = await refusalOf(() => gc(bench.call('GC', asked([alive]))))
  t.equal(error.code, 60)
  t.match(error.message, 'DEL aux')
  t.match(error.message, 'GC main')
  t.ok(bench.runner.trace.includes('GC aux'))
  t.strictSame((await bench.store.list()).toSorted(), ['c1', 'c2'], 'what is left is for the next GC')
  t.strictSame(
    bench.files().filter(file => file.startsWith('locks/')),
    [],
  )
})

t.test('a list that is not understood: nothing is done', async t => {
  const bench = new Bench(t)
  await filled(bench, gone)
  t.equal((await refusalOf(() => gc(bench.call('GC', asked('none'))))).code, 7)
  t.strictSame(bench.runner.trace, [])
  t.strictSame(await bench.store.list(), ['c2'])
})

t.test('the agent has judged the records: what has one is in use, also of containers that the list lacks', async t => {
  const bench = new Bench(t)
  await filled(bench, gone)
  await gc(bench.call('GC', { conf: { [KEY]: [alive], keepRecords: true }, ...request }))
  t.notOk(bench.runner.trace.some(line => line.startsWith('DEL')))
  const valid = bench.runner.calls.find(({ type }) => type === 'main')?.config[KEY]
  t.strictSame(valid, [alive, { containerID: 'c2', ifname: 'eth0' }])
  t.strictSame(await bench.store.list(), ['c2'])
})
