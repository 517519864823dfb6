import t from 'tap'
import { readStatus } from '../../../../agent/report/document.ts'
import { formatStatus } from '../../../../agent/report/terminal.ts'
import * as documents from '../../../page/documents.ts'

const { hostile, ...all } = documents
const plain = (document: unknown) => formatStatus(readStatus(document), false)

for (const [name, document] of Object.entries(all)) {
  t.test(`terminal: one screen, whatever there is: ${name}`, async t => {
    const lines = plain(document).trimEnd().split('\n')
    t.ok(lines.length <= 40, `${lines.length} lines`)
    t.same(
      lines.filter(line => line.length > 100),
      [],
    )
  })
}

t.test('terminal: a leak, with what matters first', async t => {
  t.match(
    plain(documents.leak),
    /^worker-fsn1-01 {2}✗ Not well\nWireGuard endpoints: LeakedEndpoint\nclosed to pods · /,
  )
  t.match(plain(documents.leak), / ✗ WireGuard endpoints .*\n ✗ {3}LeakedEndpoint nm-lab worker-nbg1-03: /)
  t.match(
    plain(documents.leak),
    /MESH {2}2 expected, 1 leaked, 1 unknown\n ✗ worker-nbg1-03 leaked: 10\.42\.3\.17:51821/,
  )
  t.match(plain(documents.leak), /ATTACHMENTS {2}3 attached, 1 missing\n ✗ shop\/app2-0: network late/)
  t.match(plain(documents.leak), / ! TaintAdded: .* 9 s ago/)
})

t.test('terminal: an API that does not answer', async t => {
  t.match(plain(documents.apiDown), /\n! The Kubernetes API does not answer .*\n! It last did 6 min ago/)
})

t.test('terminal: a leader', async t => {
  t.match(plain(documents.leaderThousand), /NODES {2}980 verified, 11 verifying, 5 unverified, 4 failed/)
  t.match(plain(documents.leaderThousand), / ✗ LeakedEndpoint: worker-hel1-113 and 2 more/)
  t.match(plain(documents.leaderThousand), / ! lab: 998 of 1,000 rules/)
  t.match(plain(documents.leaderThousand), /POOL {2}covidnetes-pool: 80 blocks, 81 wanted/)
  t.match(plain(documents.standby), /Stands by\ncontrol-hel1-02_77aa01cc leads/)
})

t.test('terminal: colour is there only if asked for, and says nothing that is not said without it', async t => {
  const coloured = formatStatus(readStatus(documents.leak), true)
  t.match(coloured, '\u001b[31m✗ Not well\u001b[0m')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a colour is
  t.equal(coloured.replace(/\u001b\[\d+m/g, ''), plain(documents.leak))
  t.notMatch(plain(documents.leak), '\u001b')
})

t.test('terminal: what others say stays on its line and steers nothing', async t => {
  const said = `${hostile}\u001b[2J\u001b[31mred\nnext`
  const [event] = documents.leak.events
  const verdict = {
    ...documents.leak.verdict,
    checks: documents.leak.verdict.checks.map(each => ({ ...each, message: said })),
  }
  const text = formatStatus(
    readStatus({ ...documents.leak, node: said, verdict, events: [{ ...event, note: said }] }),
    true,
  )
  t.notMatch(text, '\u001b[2J')
  t.notMatch(text, '\u001b[31mred')
  t.notMatch(text, '\u202e')
  t.notMatch(text, /^next/m)
})
