import { PassThrough } from 'node:stream'
import t from 'tap'
import { readLines } from '../../../../agent/runtime/lines.ts'

interface LinesCase {
  readonly name: string
  readonly chunks: readonly (string | Buffer)[]
  readonly want: readonly string[]
}

const cases: readonly LinesCase[] = [
  { name: 'nothing', chunks: [], want: [] },
  { name: 'one line', chunks: ['a\n'], want: ['a'] },
  { name: 'several in a chunk, an empty one too', chunks: ['a\n\nb\n'], want: ['a', '', 'b'] },
  { name: 'a line in pieces', chunks: ['a', 'b', 'c\nd', '\n'], want: ['abc', 'd'] },
  { name: 'a character in pieces', chunks: [Buffer.from([0xc3]), Buffer.from([0xa9, 0x0a])], want: ['é'] },
  { name: 'a line that never ends is none', chunks: ['a\nb'], want: ['a'] },
]

for (const { name, chunks, want } of cases) {
  t.test(`lines: ${name}`, async t => {
    const stream = new PassThrough()
    const lines = readLines(stream)
    const first = lines.next()
    for (const chunk of chunks) stream.write(chunk)
    stream.end()
    const found: string[] = []
    for (let line = await first; line !== undefined; line = await lines.next()) found.push(line)
    t.strictSame(found, want)
    await lines.ended
    t.equal(await lines.next(), undefined, 'and so it stays')
  })
}

t.test('lines: a stream that breaks has ended', async t => {
  const stream = new PassThrough()
  const lines = readLines(stream)
  const next = lines.next()
  stream.destroy(new Error('broken'))
  t.equal(await next, undefined)
})
