import t from 'tap'
import { readTap } from '../../../scripts/tap-output.ts'

interface RunCase {
  readonly name: string
  /** The lines as tap prints them. */
  readonly lines: readonly string[]
  /** Files that were to run, beside `a.test.ts`. */
  readonly others?: readonly string[]
  readonly passed: number
  readonly failed: number
  /** All that is told of it. */
  readonly problems?: readonly string[]
}

/** Lines of a file's block. */
const file = (last: string, ...lines: readonly string[]) => [
  '# Subtest: a.test.ts',
  ...lines.map(line => `    ${line}`),
  last,
]
/** A block in a file. */
const block = (name: string, last: string, ...lines: readonly string[]) => [
  `# Subtest: ${name}`,
  ...lines.map(line => `    ${line}`),
  `${last} - ${name} # time=1ms`,
  '',
]
const good = 'ok 1 - a.test.ts # time=2ms'
const bad = 'not ok 1 - a.test.ts # time=2ms'

const cases: readonly RunCase[] = [
  {
    name: 'a test is one, however much it asserts',
    lines: file(good, ...block('x', 'ok 1', 'ok 1 - one', 'ok 2 - two', '1..2'), ...block('y', 'ok 2', '1..0')),
    passed: 2,
    failed: 0,
  },
  { name: 'a file without blocks is one', lines: file(good, 'ok 1 - one', 'ok 2 - two', '1..2'), passed: 1, failed: 0 },
  {
    name: 'blocks in blocks: the outer one counts where it asserts something itself',
    lines: file(
      good,
      ...block('mute', 'ok 1', ...block('x', 'ok 1', 'ok 1 - one'), '1..1'),
      ...block('speaks', 'ok 2', 'ok 1 - own', ...block('y', 'ok 2', 'ok 1 - one'), '1..2'),
    ),
    passed: 3,
    failed: 0,
  },
  {
    name: 'two assertions that fail are one test that fails',
    lines: file(
      bad,
      ...block('x', 'not ok 1', 'not ok 1 - one', 'not ok 2 - two', '1..2'),
      ...block('y', 'ok 2', 'ok 1'),
    ),
    passed: 1,
    failed: 1,
    problems: ['  not ok: one  [a.test.ts > x]', '  not ok: two  [a.test.ts > x]'],
  },
  {
    name: 'what failed inside is not counted again outside',
    lines: file(bad, ...block('outer', 'not ok 1', 'ok 1 - own', ...block('x', 'not ok 2', 'not ok 1 - one'), '1..2')),
    passed: 1,
    failed: 1,
  },
  {
    name: 'an outer test that fails by itself is one more',
    lines: file(bad, ...block('outer', 'not ok 1', 'not ok 1 - own', ...block('x', 'ok 2', 'ok 1'), '1..2')),
    passed: 1,
    failed: 1,
  },
  {
    name: 'a file that fails beside all its tests: exit code, teardown, an error that came late',
    lines: file(bad, ...block('x', 'ok 1', 'ok 1 - one', '1..1')),
    passed: 1,
    failed: 1,
    problems: ['  not ok: a.test.ts  [a.test.ts]'],
  },
  {
    name: 'details of a failure, without the source',
    lines: file(
      bad,
      'not ok 1 - one',
      '  ---',
      '  at: x.ts:3',
      '  source: |',
      '    t.ok(0)',
      '  diff: |',
      '    -a',
      '    +b',
      '  ...',
    ),
    passed: 0,
    failed: 1,
    problems: ['  not ok: one  [a.test.ts]\n    at: x.ts:3\n    diff: |\n      -a\n      +b'],
  },
  { name: 'a file that cannot be loaded', lines: file(bad, '1..0 # no tests found'), passed: 0, failed: 1 },
  {
    name: 'a file without a test',
    lines: file('ok 1 - a.test.ts # SKIP no tests found', '1..0 # no tests found'),
    passed: 0,
    failed: 1,
    problems: ['  not run: a.test.ts  [a.test.ts] no tests found'],
  },
  {
    name: 'skipped and unfinished tests',
    lines: file(
      good,
      'ok 1 - later # TODO',
      'ok 2 - never # SKIP no root',
      ...block('x', 'ok 3', 'ok 1 - one'),
      '1..3',
    ),
    passed: 1,
    failed: 1,
    problems: ['  not run: later  [a.test.ts]', '  not run: never  [a.test.ts] no root'],
  },
  {
    name: 'a file that did not end in time',
    lines: [
      ...file(bad, ...block('x', 'not ok 1', 'ok 1 - one', 'not ok 2 - timeout!', '1..2')),
      'not ok 2 - timeout!',
      '  ---',
      '  expired: a.test.ts',
      '  ...',
    ],
    passed: 0,
    failed: 2,
  },
  {
    name: 'a run that was given up',
    lines: [...file(good, ...block('x', 'ok 1', 'ok 1')), 'Bail out! enough'],
    others: ['b.test.ts'],
    passed: 1,
    failed: 2,
    problems: ['  given up: enough', '  nothing was heard of b.test.ts'],
  },
  { name: 'nothing at all', lines: [], passed: 0, failed: 1, problems: ['  nothing was heard of a.test.ts'] },
  {
    name: 'a file that ends in the middle',
    lines: file('', '# Subtest: x', '    ok 1 - one').slice(0, -1),
    passed: 0,
    failed: 1,
  },
  {
    name: 'names that look like lines of the run',
    lines: file(good, ...block('ok 7 - not ok 1', 'ok 1', 'ok 1 - \\# Subtest: y', 'ok 2 - a \\# SKIP b', '1..2')),
    passed: 1,
    failed: 0,
  },
]

for (const { name, lines, others = [], passed, failed, problems } of cases) {
  t.test(name, async t => {
    const summary = readTap(`TAP version 14\n${lines.join('\n')}\n`, ['a.test.ts', ...others])
    t.same({ passed: summary.passed, failed: summary.failed }, { passed, failed })
    if (problems !== undefined) t.same(summary.problems, problems)
  })
}
