import t from 'tap'
import type { CheckResult, Verdict } from '../../../../agent/verdict/verdict.ts'
import { createProgressLine, formatVerdictJson, formatVerdictText, worstOf } from '../../../../agent/verify/present.ts'

const dns: CheckResult = {
  code: 'dns',
  from: 'host',
  target: 'example.com @10.96.0.10 A',
  result: 'fail',
  reason: 'NXDomain',
  message: 'example.com A: no such name',
  seconds: 0.0123,
}
const api: CheckResult = {
  code: 'api',
  from: 'host',
  target: 'https://192.0.2.1:6443',
  result: 'pass',
  message: 'let in',
  seconds: 1.5,
}
const failed: Verdict = { node: 'n1', passed: false, dryRun: true, seconds: 1.5, checks: [dns, api] }

t.test('text: a table, a note for what is not well, a last word', async t => {
  t.equal(
    formatVerdictText(failed),
    [
      'CHECK  FROM  RESULT  TIME    REASON    TARGET',
      'dns    host  fail    0.012s  NXDomain  example.com @10.96.0.10 A',
      'api    host  pass    1.500s  -         https://192.0.2.1:6443',
      '',
      'dns fail: example.com @10.96.0.10 A: example.com A: no such name',
      '',
      'n1: failed (dns NXDomain) in 1.50 s, dry run: nothing was written',
      '',
    ].join('\n'),
  )
})

t.test('text: a node that passed', async t => {
  const text = formatVerdictText({ ...failed, passed: true, dryRun: false, checks: [api] })
  t.match(text, /\n\nn1: passed in 1\.50 s\n$/)
})

t.test('text: nothing was proved', async t => {
  t.match(formatVerdictText({ ...failed, checks: [] }), /n1: failed \(nothing was proved\)/)
})

t.test('text: what a server said cannot steer the terminal', async t => {
  const text = formatVerdictText({ ...failed, checks: [{ ...dns, message: 'a\u001b[2Jb\u009b31mc\nd' }] })
  t.match(text, 'a\\u001b[2Jb\\u009b31mc\\u000ad')
})

t.test('JSON: one document on one line', async t => {
  const text = formatVerdictJson(failed)
  t.equal(text.indexOf('\n'), text.length - 1)
  t.strictSame(JSON.parse(text), failed)
})

t.test('progress: one line on a terminal, erased at the end', async t => {
  const { written, line } = progressOn(true)
  line.show({ from: 'host', what: 'dns', results: undefined })
  line.show({ from: 'host', what: 'api', results: undefined })
  line.show({ from: 'host', what: 'dns', results: [dns] })
  line.end()
  t.strictSame(written, [
    '\r\u001b[Kverifying: dns ...',
    '\r\u001b[Kverifying: dns ..., api ...',
    '\r\u001b[Kverifying: dns fail, api ...',
    '\r\u001b[K',
  ])
})

t.test('progress: silent where nobody looks', async t => {
  const { written, line } = progressOn(false)
  line.show({ from: 'host', what: 'dns', results: undefined })
  line.end()
  t.strictSame(written, [])
})

t.test('the worst of several results stands for all', async t => {
  t.equal(worstOf([api, dns]), 'fail')
  t.equal(worstOf([api, { ...api, result: 'warn' }]), 'warn')
  t.equal(worstOf([api, { ...api, result: 'skip' }]), 'pass')
  t.equal(worstOf([]), 'skip')
})

function progressOn(isTTY: boolean) {
  const written: string[] = []
  return { written, line: createProgressLine({ isTTY, write: text => written.push(text) }) }
}
