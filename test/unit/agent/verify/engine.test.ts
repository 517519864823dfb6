import t from 'tap'
import type { Reason } from '../../../../agent/verdict/reasons.ts'
import type { CheckCode, CheckResult, Outcome } from '../../../../agent/verdict/verdict.ts'
import { type Check, CheckFault, type Finding } from '../../../../agent/verify/check.ts'
import { hasPassed, type Progress, type RunOptions, runChecks } from '../../../../agent/verify/engine.ts'
import { failedSandbox, noSandbox, overdueAll } from '../../../../agent/verify/vantages.ts'
import { runFromHost, summarize } from './run-check.ts'

function check(code: CheckCode, run: Check['run'], dependsOn: readonly CheckCode[] = []): Check {
  return { code, title: `the ${code} check`, dependsOn, limitMs: 100, overdue: 'TimedOut', run }
}

function finds(result: Outcome, reason?: Reason): () => Promise<readonly Finding[]> {
  return async () => [{ target: 'x', result, message: '', seconds: 0, ...(reason === undefined ? {} : { reason }) }]
}

const forever = () => new Promise<never>(() => undefined)
const fails = async () => {
  throw new CheckFault('Refused', 'no')
}

interface EngineCase {
  readonly name: string
  readonly checks: readonly Check[]
  readonly want: readonly string[]
}

const cases: readonly EngineCase[] = [
  { name: 'no checks', checks: [], want: [] },
  {
    name: 'results in the order of the checks',
    checks: [check('dns', probe => probe.within(slowly).then(finds('pass'))), check('api', finds('pass'))],
    want: ['dns pass: x', 'api pass: x'],
  },
  {
    name: 'a check that throws fails alone',
    checks: [check('dns', fails), check('api', finds('pass'))],
    want: ['dns fail Refused: the dns check', 'api pass: x'],
  },
  {
    name: 'a bug in a check is a failure',
    checks: [check('dns', async () => JSON.parse('{'))],
    want: ['dns fail TimedOut: the dns check'],
  },
  {
    name: 'a question over its limit',
    checks: [check('dns', async probe => [await probe.find('q', () => probe.within(forever))])],
    want: ['dns fail TimedOut: q'],
  },
  {
    name: 'a question that names its own reason at the limit',
    checks: [check('dns', async probe => [await probe.find('q', () => probe.within(atLimit('ServFail')))])],
    want: ['dns fail ServFail: q'],
  },
  {
    name: 'a check whose dependency failed is skipped',
    checks: [check('services', finds('pass'), ['api']), check('api', fails)],
    want: ['services skip DependencyFailed: the services check', 'api fail Refused: the api check'],
  },
  {
    name: 'a warning stops nobody',
    checks: [check('services', finds('pass'), ['api']), check('api', finds('warn', 'TimedOut'))],
    want: ['services pass: x', 'api warn TimedOut: x'],
  },
  {
    name: 'a skipped dependency stops nobody',
    checks: [check('services', finds('pass'), ['api']), check('api', finds('skip', 'NoCluster'))],
    want: ['services pass: x', 'api skip NoCluster: x'],
  },
  {
    name: 'a dependency that is not there stops nobody',
    checks: [check('services', finds('pass'), ['api'])],
    want: ['services pass: x'],
  },
]

for (const { name, checks, want } of cases) {
  t.test(`engine: ${name}`, async t => {
    t.strictSame((await runFromHost(...checks)).map(summarize), want)
  })
}

t.test('engine: independent checks run side by side', async t => {
  const met = Promise.withResolvers<void>()
  const waits = check('dns', () => met.promise.then(finds('pass')))
  const frees = check('api', async () => {
    met.resolve()
    return finds('pass')()
  })
  t.equal((await runFromHost(waits, frees)).length, 2)
})

t.test('engine: what is open at the end of the whole run has failed', async t => {
  const open = check('dns', async probe => [await probe.find('q', () => probe.within(forever))])
  const deaf = check('tcp', forever)
  const verdict = await run({ checks: [{ ...open, limitMs: 60_000 }, deaf], overallMs: 50 })
  t.strictSame(verdict.checks.map(summarize), ['dns fail TimedOut: q', 'tcp fail TimedOut: the tcp check'])
  t.equal(verdict.passed, false)
})

t.test('engine: a run that is called off gives no verdict', async t => {
  const controller = new AbortController()
  const open = check('dns', async probe => [await probe.find('q', () => probe.within(forever))])
  const verdict = run({ checks: [{ ...open, limitMs: 60_000 }], signal: controller.signal })
  controller.abort(new Error('the agent ends'))
  await t.rejects(verdict, { message: 'the agent ends' })
  await t.rejects(run({ checks: [open], signal: controller.signal }), { message: 'the agent ends' })
})

t.test('engine: progress tells of each start and end, and nothing starts that is skipped', async t => {
  const seen: string[] = []
  const onProgress = ({ what, results }: Progress) => seen.push(`${what} ${results?.length ?? 'starts'}`)
  await run({ checks: [check('api', fails), check('services', finds('pass'), ['api'])], onProgress })
  t.strictSame(seen, ['api starts', 'api 1', 'services 1'])
})

t.test('engine: two vantages have the same checks', async t => {
  const signal = new AbortController().signal
  const groups = [
    { from: 'host', checks: [check('dns', finds('pass'))] },
    { from: 'sandbox', checks: [check('dns', fails)] },
  ] as const
  const verdict = await runChecks({ node: 'n1', dryRun: true, groups, overallMs: 1000, signal })
  t.match(verdict, { node: 'n1', dryRun: true, passed: false })
  t.strictSame(
    verdict.checks.map(({ from, result }) => `${from} ${result}`),
    ['host pass', 'sandbox fail'],
  )
})

t.test('engine: seconds come from the clock that never jumps', async t => {
  let now = 1000
  const clock = { monotonic: () => now }
  const takeTime = async () => {
    now += 1234.56
    return { result: 'pass', message: '' } as const
  }
  const slow = check('dns', async probe => [await probe.find('q', takeTime)])
  const verdict = await run({ checks: [slow], clock })
  t.equal(verdict.seconds, 1.2346)
  t.equal(verdict.checks[0]?.seconds, 1.2346)
})

interface PassCase {
  readonly name: string
  readonly results: readonly Outcome[]
  readonly want: boolean
}

const passCases: readonly PassCase[] = [
  { name: 'all pass', results: ['pass', 'pass'], want: true },
  { name: 'a warning', results: ['warn'], want: true },
  { name: 'a skip beside a pass', results: ['skip', 'pass'], want: true },
  { name: 'one failure', results: ['pass', 'fail', 'pass'], want: false },
  { name: 'only skips prove nothing', results: ['skip', 'skip'], want: false },
  { name: 'nothing proves nothing', results: [], want: false },
]

for (const { name, results, want } of passCases) {
  t.test(`passed: ${name}`, async t => {
    const checks = results.map(
      (result): CheckResult => ({ code: 'dns', from: 'host', target: '', result, message: '', seconds: 0 }),
    )
    t.equal(hasPassed(checks), want)
  })
}

t.test('engine: another process looks from another place', async t => {
  const seen: string[] = []
  const theirs: CheckResult = { code: 'dns', from: 'sandbox', target: 'x', result: 'fail', message: '', seconds: 0 }
  const groups = [
    { from: 'host', checks: [check('dns', finds('pass'))] },
    { from: 'sandbox', ask: async () => [theirs] },
  ] as const
  const signal = new AbortController().signal
  const onProgress = ({ from, what, results }: Progress) => seen.push(`${from} ${what} ${results?.length ?? 'starts'}`)
  const settle = (all: readonly CheckResult[]) => all.map(each => ({ ...each, message: 'settled' }))
  const verdict = await runChecks({ node: 'n1', dryRun: true, groups, overallMs: 1000, signal, onProgress, settle })
  t.equal(verdict.passed, false)
  t.strictSame(
    verdict.checks.map(({ from, result, message }) => `${from} ${result} ${message}`),
    ['host pass settled', 'sandbox fail settled'],
  )
  t.strictSame(seen.toSorted(), ['host dns 1', 'host dns starts', 'sandbox all 1', 'sandbox all starts'])
})

t.test('vantages: a sandbox that could not be made says so of each check, and proves nothing', t => {
  const checks = [check('services', finds('pass'), ['api']), check('tcp', fails)]
  const skipped = noSandbox(checks, 'NoSandbox', 'no rights')
  t.strictSame(skipped.map(summarize), [
    'sandbox skip NoSandbox: sandbox',
    'services skip NoSandbox: the services check',
    'tcp skip NoSandbox: the tcp check',
  ])
  t.equal(hasPassed(skipped), false)
  t.end()
})

t.test('vantages: a sandbox that did not answer in time fails every check with its own reason', t => {
  const late = overdueAll([check('dns', finds('pass')), check('tcp', fails)], 'too late')
  t.strictSame(late.map(summarize), ['dns fail TimedOut: the dns check', 'tcp fail TimedOut: the tcp check'])
  t.end()
})

t.test('vantages: a network that refuses a sandbox is a failing check of its own', t => {
  const finding = { result: 'fail', reason: 'SandboxRefused', message: 'no address left', seconds: 0.1 } as const
  const broken = failedSandbox([check('dns', finds('pass')), check('tcp', fails)], finding)
  t.strictSame(broken.map(summarize), [
    'sandbox fail SandboxRefused: sandbox',
    'dns skip DependencyFailed: the dns check',
    'tcp skip DependencyFailed: the tcp check',
  ])
  t.equal(broken[0]?.message, 'no address left')
  t.equal(hasPassed([...broken, { ...finding, code: 'tcp', from: 'host', target: 'x', result: 'pass' }]), false)
  t.end()
})

function run(options: Partial<RunOptions> & { checks: readonly Check[] }) {
  const { checks, ...rest } = options
  const signal = new AbortController().signal
  return runChecks({ node: 'n1', dryRun: false, groups: [{ from: 'host', checks }], overallMs: 5000, signal, ...rest })
}

function slowly(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function atLimit(reason: Reason): (signal: AbortSignal) => Promise<never> {
  return signal =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new CheckFault(reason, 'at the limit'))))
}
