import t from 'tap'
import { steadyWords } from '../../../../agent/sandbox/words.ts'

const to = { containerId: 'nopal-probe-00ff', netns: '/proc/4711/ns/net' }

interface WordsCase {
  readonly name: string
  readonly said: string
  readonly want: string
}

const cases: readonly WordsCase[] = [
  { name: 'words', said: 'no addresses left in 10.42.1.0/29', want: 'no addresses left in 10.42.1.0/29' },
  {
    name: 'what differs from sandbox to sandbox',
    said: 'failed to open netns "/proc/4711/ns/net" of nopal-probe-00ff: vethcafe0123 exists',
    want: 'failed to open netns "..." of ...: ... exists',
  },
  {
    name: 'times',
    said: '2026/11/28 04:05:06 panic; 2026-11-28T04:05:06.789Z ended',
    want: '... panic; ... ended',
  },
  { name: 'lines', said: ' a\n\tb \r\n c\n', want: 'a b c' },
  { name: 'what steers a terminal', said: 'a\u001b[31mb\u009bc', want: 'a\\u001b[31mb\\u009bc' },
  { name: 'a long story', said: 'x'.repeat(600), want: `${'x'.repeat(500)}...` },
]

for (const { name, said, want } of cases) {
  t.test(`what plugins say: ${name}`, async t => {
    t.equal(steadyWords(said, to), want)
  })
}

t.test('what plugins say: a sandbox without a namespace', async t => {
  t.equal(steadyWords('gone', { containerId: 'c1', netns: '' }), 'gone')
})
