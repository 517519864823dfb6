import t from 'tap'
import {
  commandUsages,
  type Invocation,
  parseCommandLine,
  renderHelp,
  UsageError,
} from '../../../../agent/commands/usage.ts'
import { createRandom } from '../verify/seeded-random.ts'

interface GoodCase {
  readonly args: string
  readonly want: Invocation
}

const goodCases: readonly GoodCase[] = [
  { args: '--help', want: { kind: 'help' } },
  { args: '-h', want: { kind: 'help' } },
  { args: 'verify --help', want: { kind: 'help', command: 'verify' } },
  { args: 'wg -h --whatever', want: { kind: 'help', command: 'wg' } },
  { args: 'help pool', want: { kind: 'help', command: 'pool' } },
  { args: '--version', want: { kind: 'version' } },
  { args: 'agent', want: { kind: 'run', command: 'agent', flags: {} } },
  {
    args: 'verify --dry-run --from host --output=json',
    want: { kind: 'run', command: 'verify', flags: { 'dry-run': true, from: 'host', output: 'json' } },
  },
]

for (const row of goodCases) {
  t.test(`nopal ${row.args}`, async t => {
    t.same(parseCommandLine(row.args.split(' ')), row.want)
  })
}

const badCases = [
  '',
  'Agent',
  'constructor',
  '__proto__',
  'agent --output json',
  'agent extra',
  'verify --dry-run=yes',
  'verify --from',
  'uninstall -f',
]

for (const args of badCases) {
  t.test(`refused: nopal ${args}`, async t => {
    t.throws(() => parseCommandLine(args === '' ? [] : args.split(' ')), UsageError)
  })
}

t.test('the help names every command and every option', async t => {
  const help = renderHelp()
  t.notMatch(help, 'nopal probe', 'the program in a sandbox is for nopal itself')
  const shown = Object.values(commandUsages).filter(usage => !('hidden' in usage))
  for (const usage of shown) {
    t.match(help, `nopal ${usage.name}`)
    for (const option of Object.keys(usage.options)) t.match(usage.synopsis, `--${option}`)
  }
})

t.test("a command's help is its own, from the table that its options are read by", async t => {
  for (const usage of Object.values(commandUsages)) {
    const help = renderHelp(usage.name)
    t.match(help, `nopal ${`${usage.name} ${usage.synopsis}`.trim()}\n      ${usage.summary}\n`)
    t.ok(help.split('\n').length < 8, 'short')
    for (const other of Object.values(commandUsages))
      if (other !== usage) t.notMatch(help, `nopal ${other.name} `.trim().concat('\n'))
  }
})

t.test('random command lines are read or refused, never anything else', async t => {
  const words = [
    'agent',
    'verify',
    'status',
    '--output',
    '--output=',
    'json',
    '--',
    '-',
    '-h',
    '--dry-run',
    '--no-dry-run',
    '',
    '\0',
    '__proto__',
  ]
  const faults: string[] = []
  for (let seed = 1; seed <= 1000; seed++) {
    const random = createRandom(seed)
    const args = Array.from({ length: random(5) }, () => words[random(words.length)] ?? '')
    try {
      parseCommandLine(args)
    } catch (error) {
      if (!(error instanceof UsageError)) faults.push(`seed ${seed}: ${String(error)}`)
    }
  }
  t.strictSame(faults, [])
})
