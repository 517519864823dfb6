import t from 'tap'
import { readTap } from '../../../scripts/tap-output.ts'

interface RunCase {
  readonly name: string
  /** The lines as tap prints them. */
  readonly lines: readonly string[]
  readonly code?: number | null
  readonly passed: number
  readonly failed: number
  /** All that is told of it. */
  readonly problems?: readonly string[]
}

/** A block in a file. */
const block = (name: string, last: string, ...lines: readonly string[]) => [
  `# Subtest: ${name}`,
  ...lines.map(line => `    ${line}`),
  `${last} - ${name} # time=1ms`,
  '',
]

const cases: readonly RunCase[] = [
  {
    name: 'a test is one, however much it asserts',
    lines: [...block('x', 'ok 1', 'ok 1 - one', 'ok 2 - two', '1..2'), ...block('y', 'ok 2', '1..0'), '1..2'],
    passed: 2,
    failed: 0,
    problems: [],
  },
  { name: 'a file without blocks is one', lines: ['ok 1 - one', 'ok 2 - two', '1..2'], passed: 1, failed: 0 },
  {
    name: 'blocks in blocks: the outer one counts where it asserts something itself',
    lines: [
      ...block('mute', 'ok 1', ...block('x', 'ok 1', 'ok 1 - one', '1..1'), '1..1'),
      ...block('speaks', 'ok 2', 'ok 1 - own', ...block('y', 'ok 2', 'ok 1 - one', '1..1'), '1..2'),
      '1..2',
    ],
    passed: 3,
    failed: 0,
  },
  {
    name: 'two assertions that fail are one test that fails',
    lines: [
      ...block('x', 'not ok 1', 'not ok 1 - one', 'not ok 2 - two', '1..2'),
      ...block('y', 'ok 2', 'ok 1', '1..1'),
      '1..2',
    ],
    code: 1,
    passed: 1,
    failed: 1,
    problems: ['  not ok: one  [a.test.ts > x]', '  not ok: two  [a.test.ts > x]'],
  },
  {
    name: 'what failed inside is not counted again outside',
    lines: block('outer', 'not ok 1', 'ok 1 - own', ...block('x', 'not ok 2', 'not ok 1 - one', '1..1'), '1..2'),
    code: 1,
    passed: 1,
    failed: 1,
  },
  {
    name: 'an outer test that fails by itself is one more',
    lines: [...block('outer', 'not ok 1', 'not ok 1 - own', ...block('x', 'ok 2', 'ok 1', '1..1'), '1..2'), '1..1'],
    code: 1,
    passed: 1,
    failed: 1,
  },
  {
    name: 'details of a failure, without the source',
    lines: [
      'not ok 1 - one',
      '  ---',
      '  at: x.ts:3',
      '  source: |',
      '    t.ok(0)',
      '  diff: |',
      '    -a',
      '  ...',
      '1..1',
    ],
    code: 1,
    passed: 0,
    failed: 1,
    problems: ['  not ok: one  [a.test.ts]\n    at: x.ts:3\n    diff: |\n      -a'],
  },
  {
    name: 'a test that fails beside its assertions',
    lines: [...block('x', 'not ok 1', 'ok 1 - one', '1..1'), '1..1'],
    code: 1,
    passed: 0,
    failed: 1,
    problems: ['  not ok: x  [a.test.ts > x]'],
  },
  {
    name: 'a file that fails beside all its tests: in a teardown, by an error that came late',
    lines: [...block('x', 'ok 1', 'ok 1 - one', '1..1'), '1..1'],
    code: 7,
    passed: 1,
    failed: 1,
    problems: ['  not ok: ended with 7  [a.test.ts]'],
  },
  {
    name: 'a file that cannot be loaded',
    lines: [],
    code: 1,
    passed: 0,
    failed: 1,
    problems: ['  not ok: there is no test in it  [a.test.ts]'],
  },
  { name: 'a file without a test', lines: ['1..0 # no tests found'], passed: 0, failed: 1 },
  { name: 'a file that prints nothing', lines: [], passed: 0, failed: 1 },
  {
    name: 'skipped and unfinished tests',
    lines: ['ok 1 - later # TODO', 'ok 2 - never # SKIP no root', ...block('x', 'ok 3', 'ok 1 - one', '1..1'), '1..3'],
    passed: 1,
    failed: 1,
    problems: ['  not run: later  [a.test.ts]', '  not run: never  [a.test.ts] no root'],
  },
  {
    name: 'a test that did not end in time',
    lines: [...block('x', 'not ok 1', 'ok 1 - one', 'not ok 2 - timeout!', '1..2'), '1..1'],
    code: 1,
    passed: 0,
    failed: 1,
    problems: ['  not ok: timeout!  [a.test.ts > x]'],
  },
  {
    name: 'a run that was given up',
    lines: [...block('x', 'ok 1', 'ok 1', '1..1'), 'Bail out! enough'],
    code: 1,
    passed: 1,
    failed: 1,
    problems: ['  not ok: given up: enough  [a.test.ts]'],
  },
  {
    name: 'a file that was killed in the middle',
    lines: [...block('x', 'ok 1', 'ok 1 - one', '1..1'), '# Subtest: y', '    ok 1 - one'],
    code: null,
    passed: 1,
    failed: 1,
    problems: ['  not ok: it did not end  [a.test.ts > y]'],
  },
  {
    name: 'fewer tests than were planned, and yet exit code 0',
    lines: [...block('x', 'ok 1', 'ok 1 - one', '1..1'), '1..2'],
    passed: 1,
    failed: 1,
  },
  {
    name: 'names that look like lines of the run',
    lines: [...block('ok 7 - not ok 1', 'ok 1', 'ok 1 - \\# Subtest: y', 'ok 2 - a \\# SKIP b', '1..2'), '1..1'],
    passed: 1,
    failed: 0,
  },
]

for (const { name, lines, code = 0, passed, failed, problems } of cases) {
  t.test(name, async t => {
    const text = `TAP version 14\n${lines.join('\n')}\n`
    const summary = readTap(text, { file: 'a.test.ts', code, signal: code === null ? 'SIGKILL' : null })
    t.same({ passed: summary.passed, failed: summary.failed }, { passed, failed })
    if (problems !== undefined) t.same(summary.problems, problems)
  })
}
