import t from 'tap'
import type { CheckResult } from '../../../../../agent/verdict/verdict.ts'
import { type Peer, pairOf, targetOf } from '../../../../../agent/verify/peers/peer.ts'
import { judgePods } from '../../../../../agent/verify/pods/judge.ts'

const peers: readonly Peer[] = ['a', 'b', 'c'].map((node, index) => ({
  node,
  address: `192.0.2.${index + 1}`,
  ready: true,
}))

interface Case {
  readonly name: string
  /** What each peer's pods did: `+` answer, `-` silent, anything else: not asked. */
  readonly pods: string
  /** The same for hosts, seen from the host; empty = nobody asked from there. */
  readonly hosts: string
  readonly want: string
}

const cases: readonly Case[] = [
  { name: 'all answer', pods: '+++', hosts: '+++', want: 'pass pass pass' },
  { name: 'one is silent', pods: '+-+', hosts: '+++', want: 'pass warn pass' },
  { name: 'two of three are', pods: '--+', hosts: '+++', want: 'warn warn pass' },
  { name: 'none of three answers: this node', pods: '---', hosts: '+++', want: 'fail fail fail' },
  { name: 'none of two', pods: '-- ', hosts: '+++', want: 'fail fail' },
  { name: 'the only one may be at fault', pods: '-  ', hosts: '+++', want: 'warn' },
  { name: 'nodes that are down count for nothing', pods: '---', hosts: '---', want: 'warn warn warn' },
  { name: 'of three two are down', pods: '---', hosts: '+--', want: 'warn warn warn' },
  { name: 'of three one is down', pods: '---', hosts: '++-', want: 'fail fail warn' },
  { name: 'the host was not asked', pods: '---', hosts: '', want: 'fail fail fail' },
  { name: 'nobody was asked', pods: '   ', hosts: '+++', want: '' },
]

for (const { name, pods, hosts, want } of cases) {
  t.test(`pods of two nodes: ${name}`, async t => {
    const results = peers.flatMap((peer, index) => [
      ...result('host', 'peers', targetOf(peer), hosts[index]),
      ...result('sandbox', 'peers', targetOf(peer), '+'),
      ...result('sandbox', 'pods', pairOf('n1', peer), pods[index]),
    ])
    const judged = judgePods(results, { node: 'n1', peers })
    const found = judged.filter(({ code }) => code === 'pods').map(each => each.result)
    t.equal(found.join(' '), want)
    const others = (all: readonly CheckResult[]) => all.filter(({ code }) => code !== 'pods')
    t.strictSame(others(judged), others(results), 'nothing else is touched')
  })
}

t.test('what was skipped stays so', async t => {
  const skip = result('sandbox', 'pods', 'pods of two nodes', '+').map(each => ({ ...each, result: 'skip' as const }))
  t.strictSame(judgePods(skip, { node: 'n1', peers }), skip)
})

function result(
  from: CheckResult['from'],
  code: CheckResult['code'],
  target: string,
  did: string | undefined,
): readonly CheckResult[] {
  if (did !== '+' && did !== '-') return []
  return [{ code, from, target, result: did === '+' ? 'pass' : 'fail', message: '', seconds: 0 }]
}
