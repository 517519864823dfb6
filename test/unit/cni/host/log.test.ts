import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createLog, type LogLevel, type LogOptions } from '../../../../cni/host/log.ts'

function recorded(options: Partial<LogOptions> = {}) {
  const lines: string[] = []
  const log = createLog({ level: 'debug', file: undefined, fallback: line => lines.push(line), ...options })
  return { log, lines, documents: () => lines.map(line => JSON.parse(line) as Record<string, unknown>) }
}

interface LevelCase {
  readonly level: LogLevel
  readonly want: readonly string[]
}

const levelCases: readonly LevelCase[] = [
  { level: 'error', want: ['error'] },
  { level: 'info', want: ['error', 'info'] },
  { level: 'debug', want: ['error', 'info', 'debug'] },
]

for (const { level, want } of levelCases) {
  t.test(`level ${level}`, async t => {
    const { log, documents } = recorded({ level })
    for (const at of ['error', 'info', 'debug'] as const) log[at](at)
    t.strictSame(
      documents().map(({ msg }) => msg),
      want,
    )
    t.strictSame(
      documents().map(line => line.level),
      want,
    )
  })
}

t.test('one document per line, whatever the message', async t => {
  const { log, lines, documents } = recorded({ prefix: 'node1: ', facts: { verb: 'ADD', pod: undefined } })
  log.info('two\nlines "quoted"', { network: 'green', ms: 5 })
  t.equal(lines.length, 1)
  t.match(lines[0], /^[^\n]*\n$/)
  const { time, ...rest } = documents()[0] ?? {}
  t.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  t.strictSame(rest, { level: 'info', msg: 'node1: two\nlines "quoted"', verb: 'ADD', network: 'green', ms: 5 })
})

t.test('into a file that only its owner reads', async t => {
  const file = join(t.testdir({}), 'kactus.log')
  const { log, lines } = recorded({ file })
  log.info('one')
  log.info('two')
  t.equal(readFileSync(file, 'utf8').trim().split('\n').length, 2)
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.strictSame(lines, [])
})

t.test('a file that cannot be written costs no line and no work', async t => {
  const { log, documents } = recorded({ file: join(t.testdir({ taken: {} }), 'taken') })
  t.doesNotThrow(() => log.error('kept'))
  t.strictSame(
    documents().map(({ msg }) => msg),
    ['kept'],
  )
})
