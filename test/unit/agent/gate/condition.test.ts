import t from 'tap'
import { type ConditionText, describeVerdict, planCondition } from '../../../../agent/gate/condition.ts'
import type { CheckResult, Verdict } from '../../../../agent/verdict/verdict.ts'
import { conditionOf, failing, nodeOf, nowMs, verdictOf } from './samples.ts'

interface TextCase {
  readonly name: string
  readonly verdict: Verdict
  readonly want: ConditionText
}

const refused: CheckResult = {
  ...failing('sandbox', 'SandboxRefused', 'sandbox', 'sandbox'),
  message: 'sandbox: network lab: no address left',
}
const noRights: CheckResult = { ...failing('sandbox', 'NoSandbox', 'sandbox', 'sandbox'), result: 'skip' }
const onlyFromHost: Verdict = { ...verdictOf(), checks: verdictOf().checks.filter(({ from }) => from === 'host') }

const textCases: readonly TextCase[] = [
  {
    name: 'passed',
    verdict: verdictOf(),
    want: { status: 'True', reason: 'Verified', message: 'every check has passed' },
  },
  {
    name: 'passed, and only the host was asked: it says so',
    verdict: onlyFromHost,
    want: {
      status: 'True',
      reason: 'Verified',
      message: 'every check from the host has passed; the path of pods was not tried (verify.from is host)',
    },
  },
  {
    name: 'passed, and no sandbox could be made: it says so',
    verdict: { ...onlyFromHost, checks: [...onlyFromHost.checks, noRights] },
    want: {
      status: 'True',
      reason: 'Verified',
      message: 'every check from the host has passed; the path of pods was not tried (NoSandbox)',
    },
  },
  {
    name: "the network refuses the sandbox: in its plugin's own words",
    verdict: verdictOf(failing('dns', 'NXDomain', 'a'), refused),
    want: {
      status: 'False',
      reason: 'SandboxRefused',
      message: 'dns: NXDomain (a); sandbox: SandboxRefused (network lab: no address left)',
    },
  },
  {
    name: 'the gravest reason, and every failing check by name',
    verdict: verdictOf(
      failing('services', 'NoEndpoints', 'default/kubernetes'),
      failing('dns', 'NXDomain', 'a @10.0.0.1 A'),
    ),
    want: {
      status: 'False',
      reason: 'NXDomain',
      message: 'services: NoEndpoints (default/kubernetes); dns: NXDomain (a @10.0.0.1 A)',
    },
  },
  {
    name: 'of two equally grave ones the first',
    verdict: verdictOf(failing('dns', 'Refused', 'a'), failing('dns', 'ServFail', 'b')),
    want: { status: 'False', reason: 'Refused', message: 'dns: Refused (a); dns: ServFail (b)' },
  },
  {
    name: 'only the path of pods fails: it says so',
    verdict: verdictOf(failing('tcp', 'TimedOut', 'x', 'sandbox')),
    want: { status: 'False', reason: 'TimedOut', message: 'tcp from the sandbox: TimedOut (x)' },
  },
  {
    name: 'the host fails too: the sandbox is no news',
    verdict: verdictOf(failing('dns', 'NoAnswer', 'x', 'sandbox'), failing('dns', 'NoAnswer', 'x')),
    want: { status: 'False', reason: 'NoAnswer', message: 'dns: NoAnswer (x)' },
  },
  {
    name: 'failed without any failing check',
    verdict: { ...verdictOf(), passed: false },
    want: { status: 'False', reason: 'NothingProved', message: 'no check could be run' },
  },
]

for (const row of textCases) {
  t.test(row.name, async t => {
    t.same(describeVerdict(row.verdict), row.want)
  })
}

t.test('a message of many failures is cut', async t => {
  const many = Array.from({ length: 500 }, (_, i) => failing('dns', 'NoAnswer', `name-${i}.example`))
  const { message } = describeVerdict(verdictOf(...many))
  t.equal(message.length, 2003)
  t.ok(message.endsWith('...'))
})

const good: ConditionText = { status: 'True', reason: 'Verified', message: 'm' }

interface WriteCase {
  readonly name: string
  readonly known: readonly unknown[]
  /** lastTransitionTime of the write; null = no write. */
  readonly transition: string | null
}

const now = '2026-01-01T12:00:00Z'
const writeCases: readonly WriteCase[] = [
  { name: 'none yet', known: [], transition: now },
  { name: 'the same, young', known: [conditionOf('True', 'Verified', 'm', 299_000)], transition: null },
  {
    name: 'the same, old: a heartbeat that moves no transition',
    known: [conditionOf('True', 'Verified', 'm', 300_000)],
    transition: '2026-01-01T11:55:00Z',
  },
  { name: 'another status', known: [conditionOf('False', 'Verified', 'm', 1000)], transition: now },
  {
    name: 'another message under one status',
    known: [conditionOf('True', 'Verified', 'x', 1000)],
    transition: '2026-01-01T11:59:59Z',
  },
  {
    name: 'a heartbeat from the future',
    known: [conditionOf('True', 'Verified', 'm', -400_000)],
    transition: '2026-01-01T12:06:40Z',
  },
  {
    name: 'times that are none',
    known: [{ ...conditionOf('True', 'Verified', 'm'), lastHeartbeatTime: null, lastTransitionTime: 'never' }],
    transition: now,
  },
  { name: 'of another type', known: [{ ...conditionOf('True', 'Verified', 'm'), type: 'Ready' }], transition: now },
]

for (const row of writeCases) {
  t.test(`write: ${row.name}`, async t => {
    const write = planCondition(nodeOf({ conditions: row.known }), good, nowMs)
    if (row.transition === null) return t.equal(write, undefined)
    t.same(write, {
      type: 'nopal.io/NetworkReady',
      ...good,
      lastHeartbeatTime: now,
      lastTransitionTime: row.transition,
    })
  })
}
