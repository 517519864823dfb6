import { createServer } from 'node:http'
import t, { type Test } from 'tap'
import { dumpPage } from './chromium.ts'
import * as documents from './documents.ts'
import { servePage } from './serve.ts'

const size = { width: 800, height: 600 }
/** Long enough for the page to ask for itself twice, by its own time. */
const twoTurnsMs = 12_000

/** The page as a browser shows it after a while, of a process that says one after the other; the last one for ever. */
async function look(t: Test, said: readonly unknown[], how: { answers?: number; timeMs?: number } = {}) {
  let asked = 0
  const server = await servePage(() => said[Math.min(asked++, said.length - 1)], how.answers)
  t.teardown(() => server.close())
  const dom = await dumpPage({ ...size, url: server.url, timeMs: how.timeMs ?? 1_000 })
  return { dom, asked: () => asked, title: /<title>(.*?)<\/title>/s.exec(dom)?.[1] }
}

/** Keys whose values are the program's own words. */
const ownWords = new Set([
  ...['code', 'from', 'result', 'class', 'state', 'leader', 'type', 'version', 'failure', 'action'],
  ...['time', 'startTime', 'verdictTime', 'lastAnswer', 'heard'],
])

/** The same document with every text that others have a say in made hostile. */
function madeHostile(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return ownWords.has(key) ? value : `${documents.hostile}${value}`
  if (Array.isArray(value)) return value.map(each => madeHostile(each, key))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, madeHostile(each, name)]))
}

function assertHarmless(t: Test, { dom, title }: Awaited<ReturnType<typeof look>>): void {
  t.match(title, / · nopal$/, 'nothing of it was run')
  t.notMatch(dom, /<img/i)
  t.equal(dom.match(/<script/gi)?.length, 1, 'the one script is the page’s own')
  t.match(dom, '&lt;script&gt;document.title="owned"&lt;/script&gt;', 'it is shown as the text it is')
  t.match(dom, '\\u202e', 'what turns the direction of text is shown, too')
}

t.test('a browser runs what is hostile where nothing keeps it from it', async t => {
  const server = createServer((_, response) => response.end(`<title>mine</title>${documents.hostile}`))
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as { readonly port: number }
  const dom = await dumpPage({ ...size, url: `http://127.0.0.1:${port}/` })
  t.match(dom, '<title>owned</title>')
})

for (const [whose, document] of Object.entries({ agent: documents.leak, leader: documents.leaderThousand })) {
  t.test(`names and messages of strangers stay text: ${whose}`, async t => {
    assertHarmless(t, await look(t, [madeHostile(document)]))
  })
}

t.test('also where they come while somebody looks', async t => {
  const seen = await look(t, [documents.well, madeHostile(documents.leak)], { timeMs: twoTurnsMs })
  t.ok(seen.asked() > 1, 'the page has asked for itself')
  assertHarmless(t, seen)
})

t.test('the page follows what it shows by itself', async t => {
  const { dom, title } = await look(t, [documents.well, documents.leak], { timeMs: twoTurnsMs })
  t.match(title, /^Not well · worker-fsn1-01/)
  t.match(dom, /<span>Not well<\/span>/)
  t.match(dom, /LeakedEndpoint/)
  t.match(dom, /role="status">live</)
})

t.test('an API that comes back: its notice goes', async t => {
  const { dom } = await look(t, [documents.apiDown, documents.well], { timeMs: twoTurnsMs })
  t.notMatch(dom, /id="notice"/)
  t.match(dom, /<span>Well<\/span>/)
})

t.test('an agent that is gone: the page says so, and how old it is, and keeps what it knew', async t => {
  const { dom } = await look(t, [documents.well], { answers: 1, timeMs: 95_000 })
  t.match(dom, /<body[^>]* class="stale"/)
  t.match(dom, /role="status">No answer\.<\/span><span class="age">What you see is \d+ s old\.</)
  t.match(dom, /<span>Well<\/span>/)
})
