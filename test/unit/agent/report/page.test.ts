import t from 'tap'
import { escapeHtml, renderPage } from '../../../../agent/report/page.ts'
import { result, verdict, wellStatus } from './fixtures.ts'

t.test('page: says how the node is', async t => {
  t.match(renderPage(wellStatus), 'n1: <span class="pass">network verified</span>')
  const failed = verdict(result('dns', 'fail', 'x.test @192.0.2.53 A', 0.25))
  const page = renderPage({ ...wellStatus, verdict: failed })
  t.match(page, 'network not ready')
  t.match(page, '<td class="fail">fail</td>')
  t.match(page, '<td>0.250 s</td>')
  t.match(renderPage({ ...wellStatus, verdict: null, verdictTime: null, gate: null }), 'not verified yet')
})

t.test('page: what strangers say stays text', async t => {
  const target = '<script>alert(1)</script>'
  const page = renderPage({ ...wellStatus, node: '"><b', verdict: verdict(result('dns', 'fail', target, 0)) })
  t.notMatch(page, '<script')
  t.notMatch(page, '"><b')
  t.match(page, '&lt;script&gt;alert(1)&lt;/script&gt;')
})

t.test('page: nothing is loaded from elsewhere', async t => {
  t.notMatch(renderPage(wellStatus), /(src|@import|url\(|https?:)/)
})

t.test('page: each character that could end a text', async t => {
  t.equal(escapeHtml(`&<>"'`), '&amp;&lt;&gt;&quot;&#39;')
})
