import t from 'tap'
import { noHistory } from '../../../../agent/gate/history.ts'
import { type Hold, planGate } from '../../../../agent/gate/plan.ts'
import type { KubeNode } from '../../../../agent/kube/node.ts'
import { holdOf, holdOfNetwork, holdOfWorker } from '../../../../agent/node/hold.ts'
import { settingsOf } from '../config/settings-of.ts'
import { firstRun, nodeOf, ownLabel, ownTaint, settings } from '../gate/samples.ts'

const closed = nodeOf({ labels: {}, taints: [ownTaint] })
const open = nodeOf({ labels: ownLabel, taints: [] })
const lasting: Hold = { lasting: true, message: 'no conf' }
const given = settingsOf({ NOPAL_REMEDY_WORKERS: 'true' })
const worker = holdOfWorker({ ...given, verify: { ...given.verify, from: ['host'] } })
const momentary: Hold = { lasting: false, message: 'not looked at' }

t.test('a worker pod is waited for only where there are some, and no agent looks from a sandbox', async t => {
  const from = (...places: ('host' | 'sandbox')[]) => ({ ...given.verify, from: places })
  t.match(worker, { lasting: true, worker: true })
  t.equal(holdOfWorker({ ...given, verify: from('host', 'sandbox') }), undefined)
  t.equal(holdOfWorker({ ...given, verify: from('sandbox') }), undefined)
  t.equal(holdOfWorker({ remedy: { ...given.remedy, workers: false }, verify: from('host') }), undefined)
})

interface Case {
  readonly name: string
  readonly node: KubeNode
  readonly passed: boolean
  readonly hold: Hold | undefined
  /** What is written: the marks, and the condition with its reason. */
  readonly writes: readonly string[]
}

const cases: readonly Case[] = [
  { name: 'nothing holds', node: closed, passed: true, hold: undefined, writes: ['marks', 'True Verified'] },
  { name: 'lasting', node: closed, passed: true, hold: lasting, writes: ['False NotInstalled'] },
  { name: 'a moment', node: closed, passed: true, hold: momentary, writes: ['Unknown Verifying'] },
  {
    name: 'a worker pod has the last word',
    node: closed,
    passed: true,
    hold: worker,
    writes: ['Unknown WorkerWanted'],
  },
  { name: 'a worker has had it', node: open, passed: true, hold: worker, writes: ['True Verified'] },
  {
    name: 'nobody taints it: there is nothing for a worker to open',
    node: { ...open, labels: {} },
    passed: true,
    hold: worker,
    writes: ['marks', 'True Verified'],
  },
  {
    name: 'no worker is asked of a failing node',
    node: closed,
    passed: false,
    hold: worker,
    writes: ['False NoAnswer'],
  },
  { name: 'a failing check is told first', node: closed, passed: false, hold: lasting, writes: ['False NoAnswer'] },
  { name: 'also in the first moment', node: closed, passed: false, hold: momentary, writes: ['False NoAnswer'] },
  {
    name: 'an open node stays open and says so',
    node: open,
    passed: true,
    hold: lasting,
    writes: ['False NotInstalled'],
  },
]

for (const { name, node, passed, hold, writes } of cases) {
  t.test(`what holds the lift up: ${name}`, async t => {
    const verdict = {
      node: 'n1',
      passed,
      dryRun: false,
      seconds: 1,
      checks: passed ? [] : [failing],
    }
    const input = { node, verdict: { uid: 'u1', verdict, streak: firstRun }, settings, history: noHistory }
    const { actions } = planGate({ ...input, hold, nowMs: 0 })
    const said = actions.flatMap(action => {
      if (action.kind === 'condition') return [`${action.condition.status} ${action.condition.reason}`]
      return action.kind === 'marks' ? ['marks'] : []
    })
    t.same(said, writes)
  })
}

const failing = {
  code: 'dns',
  from: 'host',
  target: 'name',
  result: 'fail',
  reason: 'NoAnswer',
  message: '',
  seconds: 1,
} as const

t.test('the installation holds the lift up until it is done', async t => {
  t.match(holdOf(undefined), { lasting: false })
  const message = 'the CNI files are not in place: waiting: no default network'
  t.same(holdOf({ installed: false, message: 'waiting: no default network' }), { lasting: true, message })
  t.equal(holdOf({ installed: true, message: 'kactus wraps network e2e' }), undefined)
})

t.test('a verdict from before there was a CNI network holds the lift up until there is one of later', async t => {
  const untried = {
    ...failing,
    from: 'sandbox',
    result: 'skip',
    reason: 'NoNetwork',
    message: 'there is none',
  } as const
  const verdict = { node: 'n1', passed: true, dryRun: false, seconds: 1, checks: [untried] }
  t.same(holdOfNetwork(verdict), { lasting: true, message: 'there is none' })
  t.equal(holdOfNetwork({ ...verdict, checks: [{ ...untried, reason: 'NoSandbox' }] }), undefined)
  t.equal(holdOfNetwork({ ...verdict, checks: [] }), undefined)
  t.equal(holdOfNetwork(undefined), undefined)
})
