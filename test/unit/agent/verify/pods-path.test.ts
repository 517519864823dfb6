import t from 'tap'
import type { CheckResult } from '../../../../agent/verdict/verdict.ts'
import { settlePodsPath } from '../../../../agent/verify/pods-path.ts'

const result = (from: CheckResult['from'], code: CheckResult['code'], outcome: CheckResult['result']): CheckResult => ({
  code,
  from,
  target: 'x',
  result: outcome,
  message: 'no answer',
  seconds: 0,
})

interface SettleCase {
  readonly name: string
  readonly results: readonly CheckResult[]
  readonly want: readonly string[]
}

const cases: readonly SettleCase[] = [
  {
    name: "only the pods' path fails: the message says so",
    results: [result('host', 'dns', 'pass'), result('sandbox', 'dns', 'fail')],
    want: ['pass no answer', 'fail sandbox: no answer'],
  },
  {
    name: 'both fail: it is not the pods’ path',
    results: [result('host', 'dns', 'fail'), result('sandbox', 'dns', 'fail')],
    want: ['fail no answer', 'fail no answer'],
  },
  {
    name: 'another check of the host fails',
    results: [result('host', 'api', 'fail'), result('sandbox', 'dns', 'fail')],
    want: ['fail no answer', 'fail sandbox: no answer'],
  },
  {
    name: 'peers that answer the host but not the pods',
    results: [result('host', 'peers', 'pass'), result('sandbox', 'peers', 'fail')],
    want: ['pass no answer', 'fail sandbox: no answer'],
  },
  {
    name: 'peers that answer neither',
    results: [result('host', 'peers', 'warn'), result('sandbox', 'peers', 'fail')],
    want: ['warn no answer', 'warn no answer'],
  },
  {
    name: 'nobody asked from the host',
    results: [result('sandbox', 'peers', 'fail')],
    want: ['fail sandbox: no answer'],
  },
]

for (const { name, results, want } of cases) {
  t.test(`pods' path: ${name}`, t => {
    t.strictSame(
      settlePodsPath(results).map(each => `${each.result} ${each.message}`),
      want,
    )
    t.end()
  })
}
