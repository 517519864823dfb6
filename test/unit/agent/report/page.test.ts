import t from 'tap'
import { escapeHtml, renderPage } from '../../../../agent/report/page.ts'
import { result, statusOf, verdict } from './fixtures.ts'

t.test('page: says how the node is', async t => {
  t.match(renderPage(statusOf()), 'n1: <span class="pass">well</span>')
  const failed = verdict(result('dns', 'fail', 'x.test @192.0.2.53 A', 0.25))
  const page = renderPage(statusOf({ verdict: failed }))
  t.match(page, 'n1: <span class="fail">not well</span>')
  t.match(page, '<td class="fail">fail</td>')
  t.match(page, '<td>0.250 s</td>')
  t.match(renderPage(statusOf({ verdict: undefined })), 'not verified yet')
})

t.test('page: what strangers say stays text', async t => {
  const target = '<script>alert(1)</script>'
  const page = renderPage(statusOf({ verdict: verdict(result('dns', 'fail', target, 0)) }, '"><b'))
  t.notMatch(page, '<script')
  t.notMatch(page, '"><b')
  t.match(page, '&lt;script&gt;alert(1)&lt;/script&gt;')
})

t.test('page: nothing is loaded from elsewhere', async t => {
  t.notMatch(renderPage(statusOf()), /(src|@import|url\(|https?:)/)
})

t.test('page: each character that could end a text', async t => {
  t.equal(escapeHtml(`&<>"'`), '&amp;&lt;&gt;&quot;&#39;')
})
