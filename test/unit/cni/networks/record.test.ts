import { deepStrictEqual } from 'node:assert/strict'
import t from 'tap'
import {
  type Attachment,
  type ContainerRecord,
  parseRecord,
  printRecord,
  RecordError,
} from '../../../../cni/networks/record.ts'
import { confListFrom } from '../../../../cni/spec/conf.ts'
import { type JsonObject, parseJson } from '../../../../cni/spec/json.ts'
import { randomInput, tryMany } from '../random-input.ts'

const primary: Attachment = {
  conf: 'kactus-net',
  owner: 'eth0',
  network: undefined,
  ifname: 'eth0',
  isPrimary: true,
  mac: undefined,
  args: 'IgnoreUnknown=1',
  capabilityArgs: {},
  list: confListFrom({ name: 'main', cniVersion: '1.0.0', plugins: [{ type: 'bridge' }] }),
  status: 'added',
  result: { cniVersion: '1.0.0', ips: [], dns: {} },
  refusal: undefined,
}

const hotplugged: Attachment = {
  conf: 'kactus-net',
  owner: undefined,
  network: 'team/green',
  ifname: 'net9f27410725ab',
  isPrimary: false,
  mac: '0a:58:0a:01:00:02',
  args: '',
  capabilityArgs: { mac: '0a:58:0a:01:00:02' },
  list: confListFrom(
    parseJson(
      '{"name":"green","disableGC":true,"plugins":[{"type":"a","id":9007199254740993},{"type":"b","__proto__":1.0}]}',
    ) as JsonObject,
  ),
  status: 'adding',
  result: undefined,
  refusal: { code: 7, message: 'no such master', timeMs: 1_790_000_000_000 },
}

const whole: ContainerRecord = {
  containerId: 'c1',
  netns: '/run/netns/x',
  pod: { namespace: 'team', name: 'p1', uid: undefined },
  attachments: [primary, hotplugged],
}

interface RecordCase {
  readonly name: string
  readonly record: ContainerRecord
}

const recordCases: readonly RecordCase[] = [
  { name: 'two attachments', record: whole },
  { name: 'no pod', record: { ...whole, pod: undefined } },
  { name: 'a pod with its uid', record: { ...whole, pod: { namespace: 'a', name: 'b', uid: 'u1' } } },
  { name: 'nothing attached', record: { ...whole, netns: '', attachments: [] } },
  {
    name: 'every status',
    record: {
      ...whole,
      attachments: (['planned', 'adding', 'added', 'deleted'] as const).map(status => ({ ...primary, status })),
    },
  },
]

for (const { name, record } of recordCases) {
  t.test(`a record comes back as it went: ${name}`, async t => {
    t.strictSame(parseRecord(printRecord(record), 'c1'), record)
  })
}

t.test('digits are on disk as they came', async t => {
  t.match(printRecord(whole), '"id":9007199254740993')
  t.match(printRecord(whole), '"__proto__":1.0')
})

interface DamagedCase {
  readonly name: string
  readonly text: string
}

function edited(change: (document: Record<string, unknown>, first: Record<string, unknown>) => void): string {
  const document = JSON.parse(printRecord(whole)) as Record<string, unknown> & {
    attachments: Record<string, unknown>[]
  }
  change(document, document.attachments[0] ?? {})
  return JSON.stringify(document)
}

function withFirst(change: Readonly<Record<string, unknown>>): string {
  return edited((_document, first) => Object.assign(first, change))
}

const text = printRecord(whole)

const damagedCases: readonly DamagedCase[] = [
  { name: 'of zero bytes, as after a power loss', text: '' },
  { name: 'of zeroes', text: '\u0000'.repeat(text.length) },
  { name: 'cut in half', text: text.slice(0, text.length / 2) },
  { name: 'cut by one byte', text: text.slice(0, -1) },
  { name: 'written twice', text: text + text },
  { name: 'a list', text: '[]' },
  { name: 'null', text: 'null' },
  { name: 'too deep', text: '{"a":'.repeat(500) },
  { name: 'without a schema', text: edited(document => delete document.schema) },
  { name: 'of another schema', text: edited(document => Object.assign(document, { schema: 2 })) },
  { name: 'of another container', text: edited(document => Object.assign(document, { containerId: 'c2' })) },
  { name: 'without a netns', text: edited(document => delete document.netns) },
  {
    name: 'with attachments that are an object',
    text: edited(document => Object.assign(document, { attachments: {} })),
  },
  { name: 'with an attachment of null', text: edited(document => Object.assign(document, { attachments: [null] })) },
  { name: 'with a pod that is text', text: edited(document => Object.assign(document, { pod: 'p1' })) },
  { name: 'with a pod without a name', text: edited(document => Object.assign(document, { pod: { namespace: 'a' } })) },
  { name: 'with a status nobody knows', text: withFirst({ status: 'done' }) },
  { name: 'with a status of null', text: withFirst({ status: null }) },
  { name: 'with an interface that is a number', text: withFirst({ ifname: 5 }) },
  { name: 'with an owner that is a number', text: withFirst({ owner: 5 }) },
  { name: 'with arguments of null', text: withFirst({ args: null }) },
  { name: 'with capabilities that are a list', text: withFirst({ capabilityArgs: [] }) },
  { name: 'with a result that is text', text: withFirst({ result: 'ok' }) },
  { name: 'with a refusal that is text', text: withFirst({ refusal: 'no' }) },
  { name: 'with a refusal without a number', text: withFirst({ refusal: { code: '7', message: 'no', timeMs: 1 } }) },
  { name: 'with a refusal without words', text: withFirst({ refusal: { code: 7, timeMs: 1 } }) },
  { name: 'with a refusal without a time', text: withFirst({ refusal: { code: 7, message: 'no' } }) },
  { name: 'with no network', text: withFirst({ list: null }) },
  { name: 'with a network without plugins', text: withFirst({ list: { name: 'main', plugins: [] } }) },
  { name: 'with a plugin that has a path', text: withFirst({ list: { name: 'main', plugins: [{ type: '../sh' }] } }) },
]

for (const { name, text } of damagedCases) {
  t.test(`not believed: a record ${name}`, async t => {
    t.throws(() => parseRecord(text, 'c1'), { name: 'RecordError', code: 'BadRecord' })
  })
}

t.test('random damage is seen, or what is read is whole', async t => {
  const random = randomInput(37)
  const { accepted, surprises } = tryMany(
    3000,
    () => random.damaged(text),
    damaged => {
      const record = parseRecord(damaged, 'c1')
      deepStrictEqual(parseRecord(printRecord(record), 'c1'), record)
      if (record.containerId !== 'c1') throw new Error('of another container')
    },
    error => error instanceof RecordError,
  )
  t.strictSame(surprises, [])
  t.ok(accepted < 2900, `${accepted} were accepted`)
})
