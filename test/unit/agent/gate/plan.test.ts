import t from 'tap'
import { planGate } from '../../../../agent/gate/plan.ts'
import { bad, badCondition, good, inputOf, type PlanCase, provePlans, waiting } from './plan-case.ts'
import { conditionOf, failing, ownLabel, ownTaint, passedCondition, verdictOf } from './samples.ts'

const cases: readonly PlanCase[] = [
  { name: 'a new node before its first verdict', labels: {}, taints: [ownTaint], want: ['Unknown Verifying'] },
  {
    name: 'which may be there in a moment',
    labels: {},
    taints: [ownTaint],
    knownAgoMs: 600,
    want: [],
    againMs: 900,
  },
  {
    name: 'it takes longer',
    labels: {},
    taints: [ownTaint],
    knownAgoMs: 1_500,
    want: ['Unknown Verifying'],
  },
  { name: 'it is told once', labels: {}, taints: [ownTaint], conditions: [waiting], want: [] },
  {
    name: 'a new node passes: the lift comes first',
    labels: {},
    taints: [ownTaint],
    conditions: [waiting],
    verdict: good,
    want: ['lift', 'True Verified', 'NetworkVerified', 'TaintLifted'],
  },
  { name: 'settled: nothing at all', labels: ownLabel, conditions: [passedCondition], verdict: good, want: [] },
  {
    name: 'settled: the heartbeat is due',
    labels: ownLabel,
    conditions: [conditionOf('True', 'Verified', 'every check has passed', 300_000)],
    verdict: good,
    want: ['True Verified'],
  },
  {
    name: 'a new node fails: the taint stays',
    labels: {},
    taints: [ownTaint],
    conditions: [waiting],
    verdict: bad,
    want: ['False NXDomain', 'NetworkFailed'],
  },
  {
    name: 'it goes on failing the same way',
    labels: {},
    taints: [ownTaint],
    conditions: [badCondition],
    verdict: bad,
    want: [],
  },
  {
    name: 'it fails another way',
    labels: {},
    taints: [ownTaint],
    conditions: [badCondition],
    verdict: verdictOf(failing('api', 'Unreachable')),
    want: ['False Unreachable', 'NetworkFailed'],
  },
  {
    name: 'bootstrap: a verified node that fails later keeps its label and gets no taint',
    labels: ownLabel,
    conditions: [passedCondition],
    verdict: bad,
    want: ['False NXDomain', 'NetworkFailed'],
  },
  {
    name: 'a node that never had the taint is labelled',
    labels: {},
    conditions: [waiting],
    verdict: good,
    want: ['keep', 'True Verified', 'NetworkVerified'],
  },
  {
    name: 'the label has another value',
    labels: { 'node-ready/verified': 'no' },
    conditions: [passedCondition],
    verdict: good,
    want: ['keep'],
  },
  {
    name: 'the taint came back on a good node',
    labels: ownLabel,
    taints: [ownTaint],
    conditions: [passedCondition],
    verdict: good,
    liftedAgoMs: 10_000,
    want: ['lift', 'TaintLifted'],
  },
  {
    name: 'it came back at once: no write war',
    labels: ownLabel,
    taints: [ownTaint],
    conditions: [passedCondition],
    verdict: good,
    liftedAgoMs: 4_000,
    want: [],
    againMs: 6_000,
  },
  {
    name: 'the clock went back since the last lift',
    labels: ownLabel,
    taints: [ownTaint],
    conditions: [passedCondition],
    verdict: good,
    liftedAgoMs: -60_000,
    want: ['lift', 'TaintLifted'],
  },
  {
    name: 'the label goes at once after it was set: no write war either',
    labels: {},
    conditions: [passedCondition],
    verdict: good,
    liftedAgoMs: 4_000,
    want: [],
    againMs: 6_000,
  },
  {
    name: 'the verdict is about another machine of that name',
    labels: {},
    taints: [ownTaint],
    verdict: good,
    verdictUid: 'u0',
    want: ['Unknown Verifying'],
  },
  { name: 'the agent restarts on a verified node', labels: ownLabel, conditions: [passedCondition], want: [] },
  { name: 'the agent restarts on a bad node', labels: {}, taints: [ownTaint], conditions: [badCondition], want: [] },
  { name: 'the label was taken away', labels: {}, conditions: [passedCondition], want: ['Unknown Verifying'] },
  {
    name: 'a verified node got the taint again before the agent came',
    labels: ownLabel,
    taints: [ownTaint],
    conditions: [passedCondition],
    want: ['Unknown Verifying'],
  },
]

provePlans(cases)

t.test('taint and label go in one patch', async t => {
  const { actions } = planGate(inputOf({ name: '', labels: {}, taints: [ownTaint], verdict: good, want: [] }))
  const [marks] = actions
  t.match(marks, { kind: 'marks', steps: [{ op: 'test' }, { op: 'remove' }, { op: 'add' }] })
  t.equal(actions.filter(action => action.kind === 'marks').length, 1)
})
