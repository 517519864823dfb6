import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { del } from '../../../../cni/kactus/del.ts'
import type { Attachment } from '../../../../cni/networks/record.ts'
import { CniError } from '../../../../cni/spec/errors.ts'
import { failing } from '../fake-runner.ts'
import { refusalOf } from '../refusal.ts'
import { Bench } from './bench.ts'
import { aux, BLUE, GREEN, hotplugged, podArgs, primary, recordOf } from './fixtures.ts'

const blue = { args: `${podArgs};K8S_POD_NETWORK=blue` }
const second = primary({ owner: 'eth1', ifname: 'eth1' })

interface DelCase {
  readonly name: string
  readonly attachments: readonly Attachment[] | undefined
  readonly request?: Parameters<Bench['call']>[1]
  readonly trace: readonly string[]
  readonly left: readonly string[]
}

const cases: readonly DelCase[] = [
  {
    name: 'all of a container, the default network last',
    attachments: [primary(), aux(), hotplugged()],
    trace: [`DEL hot ${BLUE}`, `DEL aux ${GREEN}`, 'DEL main eth0'],
    left: [],
  },
  {
    name: 'a container without a record: the configured delegates',
    attachments: undefined,
    trace: ['DEL main eth0'],
    left: [],
  },
  {
    name: 'what may have run, and nothing that has not',
    attachments: [primary({ status: 'adding', result: undefined }), aux({ status: 'planned' })],
    trace: ['DEL main eth0'],
    left: [],
  },
  {
    name: 'only what is left of an earlier DEL',
    attachments: [primary({ status: 'deleted' }), aux()],
    trace: [`DEL aux ${GREEN}`],
    left: [],
  },
  {
    name: 'one of two interfaces of the runtime: what was attached later stays',
    attachments: [primary(), second, hotplugged()],
    trace: ['DEL main eth0'],
    left: ['eth1 added', `${BLUE} added`],
  },
  {
    name: 'an adopted container: its networks and the configured delegates',
    attachments: [hotplugged()],
    trace: [`DEL hot ${BLUE}`, 'DEL main eth0'],
    left: [],
  },
  {
    name: "another configuration's attachments stay",
    attachments: [primary({ conf: 'other' })],
    trace: ['DEL main eth0'],
    left: ['eth0 added'],
  },
  {
    name: 'one network of a container that runs',
    attachments: [primary(), aux(), hotplugged()],
    request: { request: blue },
    trace: [`DEL hot ${BLUE}`],
    left: ['eth0 added', `${GREEN} added`],
  },
  {
    name: 'one network by its namespace',
    attachments: [primary(), hotplugged()],
    request: { request: { args: `${podArgs};K8S_POD_NETWORK=team/blue` } },
    trace: [`DEL hot ${BLUE}`],
    left: ['eth0 added'],
  },
  {
    name: "a network of another namespace is another's",
    attachments: [primary(), hotplugged()],
    request: { request: { args: `${podArgs};K8S_POD_NETWORK=infra/blue` } },
    trace: [],
    left: ['eth0 added', `${BLUE} added`],
  },
  {
    name: 'a network that is not attached',
    attachments: [primary()],
    request: { request: blue },
    trace: [],
    left: ['eth0 added'],
  },
  {
    name: 'a network of a container without a record',
    attachments: undefined,
    request: { request: blue },
    trace: [],
    left: [],
  },
]

for (const { name, attachments, request, trace, left } of cases) {
  t.test(`DEL: ${name}`, async t => {
    const bench = new Bench(t)
    if (attachments !== undefined) await bench.store.write(recordOf(attachments), true)
    await del(bench.call('DEL', request))
    t.strictSame(bench.runner.trace, trace)
    t.strictSame(await bench.state(), left)
    t.strictSame(bench.files(), left.length > 0 ? ['records/c1.json'] : [])
  })
}

t.test('every plugin gets what its ADD had: configuration, arguments, result', async t => {
  const bench = new Bench(t)
  await bench.store.write(recordOf([primary(), aux({ args: 'IgnoreUnknown=1;MAC=m' })]), true)
  await del(bench.call('DEL', { request: { netns: '' }, conf: { delegates: [{ type: 'changed', name: 'since' }] } }))
  t.match(bench.runner.calls[0], {
    type: 'aux',
    variables: { CNI_ARGS: 'IgnoreUnknown=1;MAC=m', CNI_NETNS: '', CNI_IFNAME: GREEN, CNI_CONTAINERID: 'c1' },
    config: { name: 'green', prevResult: aux().result },
  })
  t.equal(bench.runner.calls[1]?.type, 'main')
})

t.test('a failure: the others are undone, and the retry is for what is left', async t => {
  const bench = new Bench(t)
  await bench.store.write(recordOf([primary(), aux(), hotplugged()]), true)
  bench.plays(failing({ [`DEL hot ${BLUE}`]: 60, [`DEL aux ${GREEN}`]: 61 }))
  const error = await refusalOf(() => del(bench.call('DEL')))
  t.equal(error.code, 60)
  t.match(error.message, /DEL hot .*; DEL aux /)
  t.match(error.details, /team\/blue.*; .*team\/green/, 'every network that failed is named')
  t.strictSame(bench.runner.trace, [`DEL hot ${BLUE}`, `DEL aux ${GREEN}`, 'DEL main eth0'])
  t.strictSame(await bench.state(), ['eth0 deleted', `${GREEN} added`, `${BLUE} added`])
  t.equal(bench.logged.filter(({ message }) => message.includes('failed')).length, 2)
  bench.plays()
  await del(bench.call('DEL'))
  t.strictSame(bench.runner.trace, [`DEL hot ${BLUE}`, `DEL aux ${GREEN}`])
  t.strictSame(bench.files(), [])
})

interface RefusalCase {
  readonly name: string
  readonly status: Attachment['status']
  readonly message?: string
  readonly ageMs: number
  readonly letGo: boolean
}

const MINUTE = 60_000
const refusals: readonly RefusalCase[] = [
  { name: 'ADD and DEL, a minute apart, in the same words', status: 'adding', ageMs: MINUTE, letGo: true },
  { name: 'not long enough', status: 'adding', ageMs: MINUTE / 2, letGo: false },
  { name: 'a clock that was set back', status: 'adding', ageMs: -MINUTE, letGo: false },
  { name: 'in other words', status: 'adding', message: 'not now', ageMs: MINUTE, letGo: false },
  { name: 'what was attached', status: 'added', ageMs: MINUTE, letGo: false },
]

for (const { name, status, message = `DEL aux ${GREEN} as ordered`, ageMs, letGo } of refusals) {
  t.test(`a network that refuses to be undone is ${letGo ? '' : 'not '}let go: ${name}`, async t => {
    const bench = new Bench(t)
    const refusal = { code: 61, message, timeMs: Date.now() - ageMs }
    await bench.store.write(recordOf([primary(), aux({ status, refusal })]), true)
    bench.plays(failing({ [`DEL aux ${GREEN}`]: 61 }))
    if (letGo) await del(bench.call('DEL'))
    else t.equal((await refusalOf(() => del(bench.call('DEL')))).code, 61)
    t.strictSame(bench.runner.trace, [`DEL aux ${GREEN}`, 'DEL main eth0'], 'it was asked all the same')
    t.strictSame(await bench.state(), letGo ? [] : ['eth0 deleted', `${GREEN} ${status}`])
    t.equal(bench.logged.filter(({ message }) => message.includes('is let go')).length, letGo ? 1 : 0)
  })
}

t.test('while a network is taken from a container that runs, it is on record as half done', async t => {
  const bench = new Bench(t)
  await bench.store.write(recordOf([primary(), hotplugged()]), true)
  const during: string[] = []
  bench.plays(async () => void during.push(...(await bench.state())))
  await del(bench.call('DEL', { request: blue }))
  t.strictSame(during, ['eth0 added', `${BLUE} adding`])
  t.strictSame(bench.runner.calls[0]?.config.prevResult, hotplugged().result)
  t.strictSame(await bench.state(), ['eth0 added'])
})

t.test('a failing network of a container that runs stays on record', async t => {
  const bench = new Bench(t)
  await bench.store.write(recordOf([primary(), hotplugged()]), true)
  bench.plays(failing({ [`DEL hot ${BLUE}`]: 60 }))
  t.equal((await refusalOf(() => del(bench.call('DEL', { request: blue })))).code, 60)
  t.strictSame(await bench.state(), ['eth0 added', `${BLUE} adding`], 'nobody can say how far it is detached')
})

t.test('the default network is not taken from a container that runs', async t => {
  const bench = new Bench(t)
  await bench.store.write(recordOf([primary({ network: 'team/blue' })]), true)
  t.equal((await refusalOf(() => del(bench.call('DEL', { request: blue })))).code, 7)
  t.strictSame(bench.runner.trace, [])
})

t.test('the netns of a record is kept for what stays', async t => {
  const bench = new Bench(t)
  await bench.store.write(recordOf([primary(), hotplugged()]), true)
  await del(bench.call('DEL', { request: { ...blue, netns: '' } }))
  t.equal((await bench.record())?.netns, '/run/netns/x')
})

t.test('twice is as good as once', async t => {
  const bench = new Bench(t)
  await bench.store.write(recordOf([primary()]), true)
  await del(bench.call('DEL'))
  await del(bench.call('DEL'))
  t.strictSame(bench.runner.trace, ['DEL main eth0', 'DEL main eth0'])
})

t.test('a failing delegate of a container without a record is told of', async t => {
  const bench = new Bench(t)
  bench.plays(failing({ 'DEL main eth0': 62 }))
  t.equal((await refusalOf(() => del(bench.call('DEL')))).code, 62)
  t.strictSame(bench.files(), [])
})

t.test('a record that is damaged: set aside, and the configured delegates are told', async t => {
  const bench = new Bench(t)
  await mkdir(join(bench.folder, 'records'))
  await writeFile(join(bench.folder, 'records/c1.json'), 'junk')
  await del(bench.call('DEL'))
  t.strictSame(bench.runner.trace, ['DEL main eth0'])
  t.equal(bench.said.length, 1)
})

interface NoRecordCase {
  readonly name: string
  readonly put: (path: string) => void
}

const noRecords: readonly NoRecordCase[] = [
  { name: 'a folder', put: path => mkdirSync(join(path, 'inside'), { recursive: true }) },
  { name: 'a pipe', put: path => execFileSync('mkfifo', [path]) },
  { name: 'a link', put: path => symlinkSync('/etc/hostname', path) },
]

for (const { name, put } of noRecords) {
  t.test(`in place of the record lies ${name}: set aside, and the configured delegates are told`, async t => {
    const bench = new Bench(t)
    await mkdir(join(bench.folder, 'records'))
    put(join(bench.folder, 'records/c1.json'))
    await del(bench.call('DEL'))
    t.strictSame(bench.runner.trace, ['DEL main eth0'])
    t.match(bench.said, [/is no file/])
    t.match(bench.files(), [/^damaged\/c1\./])
  })
}

t.test('what is detached is detached, whether that can be written down or not', async t => {
  for (const failing of ['write', 'remove', 'read'] as const) {
    const bench = new Bench(t)
    await bench.store.write(recordOf([primary(), aux()]), true)
    Object.assign(bench.store, { [failing]: () => Promise.reject(new CniError(100, `no ${failing}`)) })
    await del(bench.call('DEL'))
    t.strictSame(bench.runner.trace, failing === 'read' ? ['DEL main eth0'] : [`DEL aux ${GREEN}`, 'DEL main eth0'])
    t.ok(bench.logged.some(({ message }) => message.includes(`no ${failing}`)))
  }
})

t.test('where no lock can be had', async t => {
  const bench = new Bench(t)
  await bench.store.write(recordOf([primary(), aux()]), true)
  await writeFile(join(bench.folder, 'locks'), '')
  await del(bench.call('DEL'))
  t.strictSame(bench.runner.trace, [`DEL aux ${GREEN}`, 'DEL main eth0'])
  t.equal(await bench.record(), undefined)
})

t.test('an ADD that was killed before its first record was whole leaves nothing', async t => {
  const bench = new Bench(t)
  await mkdir(join(bench.folder, 'records'))
  for (const name of ['c1.json.tmp', 'c2.json.tmp', 'c1.txt']) await writeFile(join(bench.folder, 'records', name), '{')
  await del(bench.call('DEL'))
  t.strictSame(bench.files().toSorted(), ['records/c1.txt', 'records/c2.json.tmp'])
})

const namespaces = t.testdir({ file: '', namespace: t.fixture('symlink', '/proc/self/ns/net') })

t.test('a namespace that is gone, or is none, is told of as none', async t => {
  for (const [name, want] of Object.entries({ file: '', none: '', namespace: join(namespaces, 'namespace') })) {
    const bench = new Bench(t)
    await bench.store.write(recordOf([primary(), aux()]), true)
    await del(bench.call('DEL', { request: { netns: join(namespaces, name) } }))
    t.strictSame(new Set(bench.runner.calls.map(({ variables }) => variables.CNI_NETNS)), new Set([want]), name)
  }
})

t.test('many at once: every network is undone once', async t => {
  const bench = new Bench(t)
  await bench.store.write(recordOf([primary(), aux(), hotplugged()]), true)
  const dels = Array.from({ length: 6 }, () => del(bench.call('DEL', { request: blue })))
  await Promise.all([...dels, del(bench.call('DEL'))])
  t.equal(bench.runner.trace.filter(line => line === `DEL hot ${BLUE}`).length, 1)
  t.equal(bench.runner.trace.filter(line => line === `DEL aux ${GREEN}`).length, 1)
  t.strictSame(bench.files(), [])
})
