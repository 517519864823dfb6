import t from 'tap'
import {
  clearScreen,
  colour,
  eraseLine,
  oneLine,
  plainText,
  toPlainOutput,
} from '../../../../agent/runtime/plain-text.ts'
import { createRandom } from '../verify/seeded-random.ts'

interface PlainCase {
  readonly name: string
  readonly text: string
  readonly line: string
  readonly lines: string
}

const cases: readonly PlainCase[] = [
  { name: 'nothing', text: '', line: '', lines: '' },
  { name: 'letters of all kinds', text: 'naïve-💥 日本', line: 'naïve-💥 日本', lines: 'naïve-💥 日本' },
  { name: 'escape sequences', text: 'a\u001b[31mb', line: 'a\\u001b[31mb', lines: 'a\\u001b[31mb' },
  { name: 'the same in one character', text: 'a\u009b31mb', line: 'a\\u009b31mb', lines: 'a\\u009b31mb' },
  {
    name: 'an operating system command',
    text: '\u009d0;x\u0007',
    line: '\\u009d0;x\\u0007',
    lines: '\\u009d0;x\\u0007',
  },
  {
    name: 'back over what stands there',
    text: 'no\b\b\ryes',
    line: 'no\\u0008\\u0008\\u000dyes',
    lines: 'no\\u0008\\u0008\\u000dyes',
  },
  { name: 'lines', text: 'a\nb', line: 'a\\u000ab', lines: 'a\nb' },
  {
    name: 'lines of another kind',
    text: 'a\u2028b\u2029c\u0085d',
    line: 'a\\u2028b\\u2029c\\u0085d',
    lines: 'a\\u2028b\\u2029c\\u0085d',
  },
  { name: 'text that turns round', text: 'a\u202eb\u2066c', line: 'a\\u202eb\\u2066c', lines: 'a\\u202eb\\u2066c' },
  { name: 'delete and null', text: '\u007f\u0000', line: '\\u007f\\u0000', lines: '\\u007f\\u0000' },
]

for (const { name, text, line, lines } of cases) {
  t.test(`plain: ${name}`, async t => {
    t.equal(oneLine(text), line)
    t.equal(plainText(text), lines)
  })
}

t.test('a JSON document means the same afterwards, whatever it holds', async t => {
  const random = createRandom(7)
  const changed = Array.from({ length: 500 }, () => {
    const value = {
      text: Array.from({ length: 20 }, () => String.fromCharCode(random(0x3000))).join(''),
    }
    const document = plainText(`${JSON.stringify(value)}\n`)
    const same = JSON.stringify(JSON.parse(document)) === JSON.stringify(value)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    return same && /^[^\u0000-\u001f\u007f-\u009f]*\n$/.test(document) ? [] : [value]
  })
  t.same(changed.flat(), [])
})

t.test('an output writes nothing else; only our own progress line begins with an erased one', async t => {
  const written: string[] = []
  const output = toPlainOutput({ isTTY: true, write: text => written.push(text) })
  t.equal(output.isTTY, true)
  t.notOk('isTTY' in toPlainOutput({ write: () => true }))
  output.write(`${eraseLine}verifying: ${eraseLine}x`)
  output.write('nopal: \u001b]0;title\u0007\n')
  output.write(`${clearScreen}NODE ${clearScreen}\n`)
  t.same(written, [
    `${eraseLine}verifying: \\u000d\\u001b[Kx`,
    'nopal: \\u001b]0;title\\u0007\n',
    `${clearScreen}NODE \\u001b[H\\u001b[2J\n`,
  ])
})

t.test('colours come to a terminal alone, and nothing else that looks like one', async t => {
  const written: string[] = []
  const write = (text: string) => written.push(text)
  const text = `${colour('red', 'no')} \u001b[5mblinks\u001b[8m \u001b[31;1m \u001b[38;5;1m \u001b[2J \u009b31m\n`
  toPlainOutput({ isTTY: true, write }).write(text)
  toPlainOutput({ write }).write(text)
  const rest = ' \\u001b[5mblinks\\u001b[8m \\u001b[31;1m \\u001b[38;5;1m \\u001b[2J \\u009b31m\n'
  t.same(written, [`\u001b[31mno\u001b[0m${rest}`, `\\u001b[31mno\\u001b[0m${rest}`])
})
