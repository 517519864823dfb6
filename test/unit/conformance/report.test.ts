import t from 'tap'
import { readReport, type SuiteResult } from '../../conformance/report.ts'

const it = { LeafNodeType: 'It', LeafNodeText: 'works', ContainerHierarchyTexts: ['[sig-network]'], NumAttempts: 1 }
const passed = { ...it, State: 'passed', RunTime: 1.5e9 }
const leftOut = { ...it, State: 'skipped', RunTime: 0, NumAttempts: 0 }
const setUp = { LeafNodeType: 'SynchronizedBeforeSuite', LeafNodeText: '', State: 'passed', NumAttempts: 1, RunTime: 1 }

function suite(specs: readonly object[] | null, changes: object = {}): string {
  return JSON.stringify([{ SuiteSucceeded: true, SpecialSuiteFailureReasons: null, SpecReports: specs, ...changes }])
}

const good = { name: '[sig-network] works', passed: true, seconds: 1.5, why: '' }
const bad = (why: string) => ({ ...good, passed: false, why })

interface Row {
  readonly name: string
  readonly text: string
  readonly result: SuiteResult
}

const rows: readonly Row[] = [
  { name: 'one that passed', text: suite([setUp, passed, leftOut]), result: { specs: [good], faults: [] } },
  {
    name: 'one that failed',
    text: suite([{ ...passed, State: 'failed', Failure: { Message: 'no answer' } }], { SuiteSucceeded: false }),
    result: { specs: [bad('failed: no answer')], faults: [] },
  },
  {
    name: 'one that skipped itself has not passed',
    text: suite([{ ...passed, State: 'skipped', Failure: { Message: 'not here' } }]),
    result: { specs: [bad('skipped: not here')], faults: [] },
  },
  {
    name: 'one in a state that nobody has heard of',
    text: suite([{ ...passed, State: 'odd' }]),
    result: { specs: [bad('odd: no message')], faults: [] },
  },
  { name: 'too few', text: suite([leftOut]), result: { specs: [], faults: ['0 specs were run, not 1'] } },
  {
    name: 'too many',
    text: suite([passed, passed]),
    result: { specs: [good, good], faults: ['2 specs were run, not 1'] },
  },
  {
    name: 'a set-up that failed',
    text: suite([{ ...setUp, State: 'failed', Failure: { Message: 'no nodes' } }], { SuiteSucceeded: false }),
    result: { specs: [], faults: ['SynchronizedBeforeSuite: failed: no nodes', '0 specs were run, not 1'] },
  },
  {
    name: 'a suite that was ended',
    text: suite([passed], { SuiteSucceeded: false, SpecialSuiteFailureReasons: ['Suite Timeout Elapsed'] }),
    result: { specs: [good], faults: ['Suite Timeout Elapsed'] },
  },
  {
    name: 'a suite that failed without a word',
    text: suite([passed], { SuiteSucceeded: false }),
    result: { specs: [good], faults: ['the suite has failed and does not say why'] },
  },
  { name: 'no specs at all', text: suite(null), result: { specs: [], faults: ['0 specs were run, not 1'] } },
  { name: 'no report', text: '', result: { specs: [], faults: ['the suite has left no report'] } },
  {
    name: 'half a report',
    text: suite([passed]).slice(0, -9),
    result: { specs: [], faults: ['the suite has left no report'] },
  },
  { name: 'a report of no suite', text: '[]', result: { specs: [], faults: ['the suite has left no report'] } },
]

for (const { name, text, result } of rows) t.strictSame(readReport(text, 1), result, name)
