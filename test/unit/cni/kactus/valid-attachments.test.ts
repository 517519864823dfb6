import t from 'tap'
import { validAttachments } from '../../../../cni/kactus/valid-attachments.ts'
import { isJsonObject, type JsonObject, parseJson } from '../../../../cni/spec/json.ts'
import { randomInput, tryMany } from '../random-input.ts'
import { hasCode, refusalOf } from '../refusal.ts'

const one = { containerID: 'c1', ifname: 'eth0' }

interface ReadCase {
  readonly name: string
  readonly document: JsonObject
  readonly want: readonly JsonObject[] | undefined
}

const readCases: readonly ReadCase[] = [
  { name: 'no key: nothing is known', document: {}, want: undefined },
  { name: 'null: nothing is known', document: { 'cni.dev/valid-attachments': null }, want: undefined },
  { name: 'an empty list: nothing lives', document: { 'cni.dev/valid-attachments': [] }, want: [] },
  { name: 'a list', document: { 'cni.dev/valid-attachments': [one] }, want: [one] },
  { name: 'the old key', document: { 'cni.dev/attachments': [one] }, want: [one] },
  {
    name: 'both: the right one counts',
    document: { 'cni.dev/attachments': [one], 'cni.dev/valid-attachments': [] },
    want: [],
  },
  {
    name: 'null beside the old key',
    document: { 'cni.dev/attachments': [one], 'cni.dev/valid-attachments': null },
    want: [one],
  },
  { name: 'more than is needed', document: { 'cni.dev/valid-attachments': [{ ...one, x: 1 }] }, want: [one] },
]

for (const { name, document, want } of readCases) {
  t.test(`read: ${name}`, async t => {
    t.strictSame(validAttachments(document), want)
  })
}

for (const text of [
  '{}',
  '"c1"',
  'true',
  '0',
  '1.0',
  '[null]',
  '["c1"]',
  '[[]]',
  '[{}]',
  '[{"containerID":"c1"}]',
  '[{"ifname":"eth0"}]',
  '[{"containerID":1,"ifname":"eth0"}]',
  '[{"containerID":"../x","ifname":"eth0"}]',
  '[{"containerID":"","ifname":"eth0"}]',
  '[{"containerID":"c1","ifname":"a/b"}]',
  '[{"__proto__":{"containerID":"c1","ifname":"eth0"}}]',
  '[{"containerID":"c1","ifname":"eth0"},{"containerID":"c2"}]',
]) {
  t.test(`from ${text} nothing follows`, async t => {
    const document = { 'cni.dev/valid-attachments': parseJson(text) }
    t.equal((await refusalOf(() => validAttachments(document))).code, 7)
  })
}

t.test('random lists are read or refused with 7', async t => {
  const random = randomInput(59)
  const make = () =>
    random.pick<JsonObject>([
      { 'cni.dev/valid-attachments': random.json(3) },
      { 'cni.dev/attachments': [one, random.json(2)] },
      { 'cni.dev/attachments': [{ ...one, ifname: random.json(1) }] },
    ])
  const { surprises } = tryMany(
    2000,
    make,
    document => {
      const list = validAttachments(document)
      if (list?.some(entry => !isJsonObject({ ...entry }) || entry.containerID.includes('/')))
        throw new Error('hostile')
    },
    hasCode(7),
  )
  t.strictSame(surprises, [])
})
