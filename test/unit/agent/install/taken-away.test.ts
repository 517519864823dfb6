import t from 'tap'
import { type Look, meaningOf, type Standing } from '../../../../agent/install/taken-away.ts'

interface Case {
  readonly name: string
  readonly look: Partial<Look>
  readonly nodeSeen?: boolean
  readonly want: 'restarted' | 'unclear' | 'refused' | `takenAway ${number}`
}

const settled: Look = { namespace: 'there', daemonSet: 'there', node: 'there', kactus: 'noAnswer' }
const all = (standing: Standing): Look => ({
  namespace: standing,
  daemonSet: standing,
  node: standing,
  kactus: standing,
})

const cases: readonly Case[] = [
  { name: 'a rollout', look: {}, want: 'restarted' },
  { name: 'an account that may not look at namespaces', look: { namespace: 'forbidden' }, want: 'restarted' },
  { name: 'the Node was deleted, the DaemonSet is there', look: { node: 'gone' }, nodeSeen: false, want: 'restarted' },
  { name: 'the namespace is going, the DaemonSet not yet', look: { namespace: 'going' }, want: 'takenAway 1' },
  {
    name: 'the namespace is going, its rights are gone',
    look: { namespace: 'going', daemonSet: 'forbidden' },
    want: 'takenAway 1',
  },
  { name: 'the DaemonSet is going', look: { daemonSet: 'going' }, want: 'takenAway 1' },
  { name: 'the DaemonSet is gone, for a moment or for good', look: { daemonSet: 'gone' }, want: 'takenAway 3' },
  { name: 'a server that finds nothing at all', look: all('gone'), want: 'unclear' },
  { name: 'a server that finds nothing and no Node', look: { daemonSet: 'gone', node: 'noAnswer' }, want: 'unclear' },
  { name: 'both accounts are unknown', look: all('unknownAccount'), want: 'takenAway 4' },
  {
    name: 'both are, but the Node was deleted, and tokens with it',
    look: all('unknownAccount'),
    nodeSeen: false,
    want: 'refused',
  },
  {
    name: "the agent's pod was deleted by force: kactus is known",
    look: { ...all('unknownAccount'), kactus: 'there' },
    want: 'refused',
  },
  {
    name: 'kactus is known and may do nothing',
    look: { ...all('unknownAccount'), kactus: 'forbidden' },
    want: 'refused',
  },
  {
    name: 'nobody knows whether kactus is known',
    look: { ...all('unknownAccount'), kactus: 'noAnswer' },
    want: 'refused',
  },
  { name: 'no rights any more', look: all('forbidden'), want: 'refused' },
  { name: 'the API server is away', look: all('noAnswer'), want: 'unclear' },
  { name: 'it answers for the namespace alone', look: { daemonSet: 'noAnswer' }, want: 'unclear' },
]

for (const { name, look, nodeSeen = true, want } of cases) {
  t.test(`taken away or restarted: ${name}`, async t => {
    const meaning = meaningOf({ ...settled, ...look }, nodeSeen)
    if (meaning.kind === 'takenAway') t.equal(`takenAway ${meaning.looks}`, want)
    else if (meaning.kind === 'unclear') t.equal(meaning.refused ? 'refused' : 'unclear', want)
    else t.equal(meaning.kind, want)
  })
}

const standings: readonly Standing[] = ['there', 'going', 'gone', 'unknownAccount', 'forbidden', 'noAnswer']

function allLooks(): readonly Look[] {
  const keys = ['namespace', 'daemonSet', 'node', 'kactus'] as const
  const start: readonly Partial<Look>[] = [{}]
  const grow = (looks: readonly Partial<Look>[], key: keyof Look) =>
    looks.flatMap(look => standings.map(standing => ({ ...look, [key]: standing })))
  return keys.reduce(grow, start) as readonly Look[]
}

t.test(
  'taken away or restarted: without word of the DaemonSet nothing is taken away, unless the namespace is going',
  async t => {
    const wordless = allLooks().filter(({ daemonSet }) => daemonSet === 'forbidden' || daemonSet === 'noAnswer')
    t.equal(wordless.length, 2 * 6 ** 3)
    const wrong = wordless.filter(look => (meaningOf(look, true).kind === 'takenAway') !== (look.namespace === 'going'))
    t.strictSame(wrong, [])
  },
)
