import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { readStatus } from '../../../../agent/report/document.ts'
import { Html, html } from '../../../../agent/report/page/html.ts'
import { pagePolicy, renderPage } from '../../../../agent/report/page/page.ts'
import * as documents from '../../../page/documents.ts'
import { statusOf } from './fixtures.ts'

const render = (document: unknown) => renderPage(readStatus(document))

interface PageCase {
  readonly name: string
  readonly document: unknown
  readonly shows: readonly (string | RegExp)[]
  readonly hides?: readonly RegExp[]
}

const cases: readonly PageCase[] = [
  {
    name: 'a node that is well',
    document: documents.well,
    shows: [
      /<section class="hero good".*worker-fsn1-01 <span>Well<\/span>/,
      'open to pods',
      'verified 12 s ago',
      'host 2×, sandbox 1×',
      'worker-nbg1-03: lan, handshake 87 s ago',
      'default/green <code>net9f27410725ab</code> 192.168.42.10',
      'AddedInterface',
      'kactus wraps network cilium',
    ],
    hides: [/id="notice"/, /id="fleet"/, /missing/],
  },
  {
    name: 'a leak',
    document: documents.leak,
    shows: [
      /<section class="hero bad".*Not well/,
      'WireGuard endpoints: LeakedEndpoint',
      'closed to pods',
      /<line class="bad"/,
      '<code>10.42.3.17:51821</code>',
      /<b>missing<\/b> network late/,
      '2×, 11 s ago',
    ],
  },
  {
    name: 'an API that does not answer: what it told is marked with its age',
    document: documents.apiDown,
    shows: [
      /id="notice".*does not answer this process \(TimedOut\)\. It last did 6 min ago/,
      'open to pods, as of 6 min ago',
      'Kubernetes API: TimedOut',
      /Service discovery.*host not tried/,
    ],
  },
  {
    name: 'a thousand peers: those that are wrong by name, the others as dots',
    document: documents.thousand,
    shows: [/aria-label="worker-fsn1-01 and 999 peers, 3 of them not well"/, '<b>793</b> expected', 'data-every="15"'],
  },
  {
    name: 'a leader',
    document: documents.leader,
    shows: [
      /nopal leader <span>Leads/,
      '4 nodes, none of them fails',
      '4 of 4 rules',
      '203.0.113.1',
      'as control-hel1',
    ],
    hides: [/id="mesh"/, /id="checks"/],
  },
  {
    name: 'a leader of a thousand nodes',
    document: documents.leaderThousand,
    shows: [
      '4 of 1,000 nodes fail',
      /aria-label="1000 nodes: 980 verified, 11 verifying, 5 unverified, 4 failed"/,
      /LeakedEndpoint.*3 nodes.*worker-hel1-113, worker-fsn1-480, worker-fsn1-771/,
      '998 of 1,000 rules',
      '1 without effect, 2 deletes held',
      'missing on 998 nodes; likely DuplicateRange',
      'NoHost',
      'Unconfirmed',
      '+ 203.0.113.81',
      '&minus; 203.0.113.1',
      'held: InUse',
      'and 58 more',
    ],
  },
  {
    name: 'one that stands by says who leads',
    document: documents.standby,
    shows: ['Stands by', 'control-hel1-02_77aa01cc leads'],
    hides: [/id="egress"/, /id="pool"/],
  },
  {
    name: 'an agent that has just started',
    document: statusOf({ verdict: undefined }).document(),
    shows: [/hero wait.*Verifying/, 'the first verification has not ended', 'Nobody has looked at the mesh yet'],
  },
]

for (const { name, document, shows, hides = [] } of cases) {
  t.test(`page: ${name}`, async t => {
    const page = render(document)
    for (const each of shows) t.match(page, typeof each === 'string' ? each : new RegExp(each.source, 's'))
    for (const each of hides) t.notMatch(page.replace(/<(style|script)>.*?<\/\1>/gs, ''), each)
  })
}

/** As an agent of the lab said them: test/page/record.ts. */
const recorded: Readonly<Record<string, readonly RegExp[]>> = {
  well: [/hero good.*n1 <span>Well<\/span>/s, /2 peers, 0 of them not well/, /default\/app1.*net48d6215903df/s],
  leak: [
    /Not well.*WireGuard endpoints: LeakedEndpoint/s,
    /n3 <span class="muted">leaked<\/span>/,
    /<code>10\.42\.2\.17:/,
  ],
  'api-down': [/id="notice".*does not answer this process/s, /Kubernetes API: /, /as of \d+ s ago/],
}

for (const [name, shows] of Object.entries(recorded)) {
  t.test(`page: what an agent said: ${name}`, async t => {
    const file = join(import.meta.dirname, '../../../fixtures/recorded/status', `${name}.json`)
    const status = readStatus(JSON.parse(await readFile(file, 'utf8')))
    for (const key of ['api', 'events', 'verdict', 'gate', 'wireguard', 'attachments'] as const) t.ok(status[key], key)
    for (const each of shows) t.match(renderPage(status), each)
  })
}

t.test('page: it stays light', async t => {
  for (const document of [documents.thousand, documents.leaderThousand])
    t.ok(Buffer.byteLength(render(document)) < 192 * 1024)
})

t.test('page: nothing is loaded from elsewhere, and nothing but its own script may run', async t => {
  const page = render(documents.leak).replace(/<a href="\/[a-z.]+">/g, '')
  t.notMatch(page, /(\bsrc=|\bhref=|@import|url\(|https?:\/\/(?!10\.96\.0\.1))/)
  t.notMatch(page, / (on[a-z]+|style)="/)
  t.match(pagePolicy, /^default-src 'none'; style-src 'sha256-[^;]+'; script-src 'sha256-[^;]+'; connect-src 'self'; /)
})

t.test('page: whatever stands in a template is text, unless it was made by one', async t => {
  t.equal(
    html`<p title="${`&<>"'`}">${'<b>'}${1}${undefined}</p>`.text,
    '<p title="&amp;&lt;&gt;&quot;&#39;">&lt;b&gt;1</p>',
  )
  t.equal(html`${[html`<i>${'a&b'}</i>`, new Html('<br>')]}`.text, '<i>a&amp;b</i><br>')
  t.equal(html`${'\u202e\u001b[31m\n'}`.text, '\\u202e\\u001b[31m\n')
})

t.test('page: a part that is not as it should be is left out, the rest is shown', async t => {
  const page = render({ ...documents.leak, wireguard: { devices: 'none' }, events: [{ time: 1 }], gate: 7 })
  t.match(page, 'Nobody has looked at the mesh yet')
  t.match(page, 'Nothing has happened')
  t.match(page, 'LeakedEndpoint')
})
