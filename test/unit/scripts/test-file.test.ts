import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { runTestFile } from '../../../scripts/test-file.ts'

interface FileCase {
  readonly name: string
  readonly lines: readonly string[]
  /** It goes on until its limit, which is short. */
  readonly isCut?: boolean
  readonly passed: number
  readonly failed: number
  /** What the first line told of it holds. */
  readonly says?: RegExp
}

const never = new AbortController().signal

const imports = ["import { writeFileSync } from 'node:fs'", "import t from 'tap'", 'void [t, writeFileSync]']
/** A line that says how far the file has come. */
const begun = "writeFileSync('begun', '')"
const good = "t.test('good', async t => t.equal(1, 1))"

const cases: readonly FileCase[] = [
  { name: 'well', lines: [good, "t.test('two', async t => { t.ok(1); t.ok(2) })"], passed: 2, failed: 0 },
  {
    name: 'an import that is missing',
    lines: ["import './none.ts'", good],
    passed: 0,
    failed: 1,
    says: /no test in it/,
  },
  { name: 'no test', lines: [], passed: 0, failed: 1, says: /no test in it/ },
  {
    name: 'an error that comes late',
    lines: [good, "t.teardown(() => { setTimeout(() => { throw new Error('late') }, 10) })"],
    passed: 1,
    failed: 1,
  },
  {
    name: 'the end of the process in the middle',
    lines: ["t.test('one', async t => { t.ok(1); process.exit(0) })", good],
    passed: 0,
    failed: 1,
    says: /unfinished/,
  },
  {
    name: 'a test that never ends',
    lines: [
      good,
      `t.test('x', async t => { t.ok(1); ${begun}; await new Promise(() => setInterval(() => {}, 1000)) })`,
    ],
    isCut: true,
    passed: 1,
    failed: 1,
  },
  {
    name: 'a process that never ends, and is deaf',
    lines: [
      "process.on('SIGTERM', () => {})",
      'process.removeAllListeners = () => process',
      good,
      begun,
      'for (;;) {}',
    ],
    isCut: true,
    passed: 0,
    failed: 1,
    says: /it did not end/,
  },
]

/** One that is to be cut is run again, with a longer limit, while it has not come so far as to be. */
async function runLines(t: Test, lines: readonly string[], isCut: boolean) {
  for (let timeoutMs = isCut ? 2000 : 60_000; ; timeoutMs *= 2) {
    const folder = t.testdir({ 'a.test.ts': [...imports, ...lines, ''].join('\n') })
    const options = { cwd: folder, timeoutMs, graceMs: 500, signal: never, env: {} }
    const summary = await runTestFile('a.test.ts', options)
    if (!isCut || existsSync(join(folder, 'begun'))) return summary
  }
}

for (const { name, lines, isCut = false, passed, failed, says } of cases) {
  t.test(`a file of tests: ${name}`, async t => {
    const summary = await runLines(t, lines, isCut)
    t.same({ passed: summary.passed, failed: summary.failed }, { passed, failed }, summary.problems.join('\n'))
    if (says !== undefined) t.match(summary.problems[0], says)
  })
}

t.test('a file of tests has what its caller has, the limit, and what it is given', async t => {
  const test = "t.test(['TAP_TIMEOUT', 'MORE', 'PATH'].map(key => process.env[key]).join(' '), async t => t.fail())"
  const folder = t.testdir({ 'a.test.ts': `import t from 'tap'\n${test}\n` })
  const { problems } = await runTestFile('a.test.ts', {
    cwd: folder,
    timeoutMs: 9000,
    graceMs: 100,
    signal: never,
    env: { MORE: 'x' },
  })
  t.match(problems[0], `9 x ${process.env.PATH}`)
})

t.test('a file of tests that is told to end cleans up and has failed', async t => {
  const lines = [
    "import t from 'tap'",
    "import { writeFileSync } from 'node:fs'",
    "process.once('SIGTERM', () => { writeFileSync('clean', ''); process.exit(3) })",
    "writeFileSync('begun', '')",
    "t.test('long', async () => new Promise(resolve => setTimeout(resolve, 60_000)))",
  ]
  const folder = t.testdir({ 'a.test.ts': lines.join('\n') })
  const told = new AbortController()
  const options = { cwd: folder, timeoutMs: 60_000, graceMs: 500, signal: told.signal, env: {} }
  const running = runTestFile('a.test.ts', options)
  while (!existsSync(join(folder, 'begun'))) await setTimeout(20)
  told.abort()
  t.ok((await running).failed > 0)
  t.ok(existsSync(join(folder, 'clean')))
})
