import t from 'tap'
import type { Held, HoldReason } from '../../../../agent/wireguard/heal-plan.ts'
import { planHoldNotices } from '../../../../agent/wireguard/hold-notices.ts'

const hold = (reason: HoldReason, node = 'n2'): Held => ({ device: 'wg0', node, reason })
const incident = (node = 'n2') => ({ device: 'wg0', node })

/** What is told look after look. */
function tell(looks: readonly (readonly Held[])[]) {
  let told: readonly Held[] = []
  return looks.map(held => {
    const planned = planHoldNotices(held, told, [incident('n2'), incident('n3')])
    told = planned.told
    return planned.notices.map(({ reason, held: some }) => `${reason} ${some.map(({ node }) => node)}`)
  })
}

t.test('a change of reason is told; one that comes back is not', async t => {
  const looks = [[hold('NoTarget')], [hold('NoTarget')], [hold('PeerBudget')], [hold('NoTarget')], [hold('PeerBudget')]]
  t.strictSame(tell(looks), [['NoTarget n2'], [], ['PeerBudget n2'], [], []])
})

t.test('what passes by itself, is set so or is told by the check is not told', async t => {
  t.strictSame(tell([[hold('Waiting'), hold('Observed'), hold('MissingAllowedIP')]]), [[]])
})

t.test('many peers are one notice', async t => {
  const looks = [[hold('NodeBudget'), hold('NodeBudget', 'n3'), hold('ResetTooSoon')]]
  t.strictSame(tell(looks), [['NodeBudget n2,n3', 'ResetTooSoon n2']])
})

t.test('a peer that has proved to be right is forgotten', async t => {
  const { told } = planHoldNotices([hold('NoTarget')], [], [incident()])
  t.strictSame(planHoldNotices([], told, []).told, [])
})
