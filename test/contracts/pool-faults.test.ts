import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { errorAnswer, html, json } from '../fakes/hcloud/answers.ts'
import { fakeServer } from '../fakes/hcloud/servers.ts'
import { until } from '../machine/wait.ts'
import {
  clear,
  lists,
  numbers,
  runPool,
  servers,
  startBed,
  startCloud,
  startLeader,
  untilNumbers,
  writes,
} from './pool/bed.ts'

/** The pool with wrong answers, files and settings, on a real API server. */
const bed = await startBed(t, 'pool-faults')
const { server } = bed
t.beforeEach(() => clear(bed))

t.test('what Hetzner Cloud must not say: the pool stays, and the reason is told without the token', async t => {
  const cloud = await startCloud(t)
  cloud.servers = servers(1, 2)
  const leader = await startLeader(t, { bed, cloud })
  await untilNumbers(bed, [1, 2])
  const before = await writes(bed)
  const unauthorized = errorAnswer(401, 'unauthorized', `no such token ${cloud.token}`)
  const faults = {
    unauthorized,
    token_readonly: errorAnswer(403, 'token_readonly', 'read only'),
    'not one of the API': html,
    'no page of servers': json(200, {}),
    'no server has these labels': undefined,
  }
  for (const [words, answer] of Object.entries(faults)) {
    cloud.instead = () => answer
    if (answer === undefined) cloud.servers = []
    await until(words, async () => (await leader.get('/health')).text.includes(words))
    await lists(cloud, 3)
    t.same(await numbers(bed), [1, 2], words)
  }
  t.equal(await writes(bed), before)
  const events = await server.send({ method: 'GET', path: '/apis/events.k8s.io/v1/namespaces/default/events' })
  const said = leader.text() + JSON.stringify(events.body) + (await leader.get('/status.json')).text
  t.match(said, 'unauthorized')
  t.notMatch(said, cloud.token)
  cloud.servers = servers(1, 2, 3)
  await untilNumbers(bed, [1, 2, 3])
  await until('it to be well', async () => (await leader.get('/health')).code === 200)
})

t.test("Canada Kaktus' config.json: followed, and refused without a word of the token", async t => {
  const cloud = await startCloud(t)
  cloud.servers = [...servers(1), fakeServer(2, { labels: { role: 'db' } })]
  const folder = t.testdir({ 'config.json': JSON.stringify({ LabelSelector: 'role=db', HcloudToken: cloud.token }) })
  const file = join(folder, 'config.json')
  const write = async (text: string) => {
    await writeFile(`${file}.new`, text)
    await rename(`${file}.new`, file)
  }
  const env = { CANADA_KAKTUS_HCLOUD_TOKEN: '', NOPAL_POOL_CONFIG_FILE: file }
  const leader = await startLeader(t, { bed, cloud, env })
  await untilNumbers(bed, [2])
  const secret = `"HcloudToken":"${cloud.token}"`
  for (const bad of [
    `{${secret}`,
    `{${secret},"LogLevel":"loud"}`,
    `{"HcloudToken":"${cloud.token}","LabelSelector":7}`,
  ]) {
    await write(bad)
    await until('the fault', async () => (await leader.get('/health')).text.includes('config.json'))
    await write(JSON.stringify({ LabelSelector: 'role=db', HcloudToken: cloud.token }))
    await until('it to be well', async () => (await leader.get('/health')).code === 200)
  }
  const written = () => leader.text().split('pool written').length
  const before = written()
  await write(`{${secret},"LabelSelector":"kops.k8s.io/instance-role=Node","LogLevel":"Error"}`)
  await until('the other server', async () => (await numbers(bed)).includes(1))
  await lists(cloud, 2)
  t.equal(written(), before, 'the log keeps to the errors')
  t.notMatch(leader.text(), cloud.token)
})

t.test('nopal pool: nothing to do, nobody to ask', async t => {
  const cloud = await startCloud(t)
  cloud.servers = servers(1)
  const made = await runPool({ bed, cloud }, ['--apply'])
  t.match(made.stdout, /create +198\.51\.100\.1\/32 +1 +NewServer/)
  t.equal(made.code, 0)
  t.same(await numbers(bed), [1])
  const idle = await runPool({ bed, cloud }, [])
  t.equal(idle.code, 0)
  t.match(idle.stdout, 'nothing to do')
  const wrong = await runPool({ bed, cloud, env: { CANADA_KAKTUS_HCLOUD_TOKEN: 'other-token' } }, ['--output', 'json'])
  t.equal(wrong.code, 3)
  t.notMatch(wrong.stdout + wrong.stderr, 'other-token')
  const said = { ...cloud, url: 'http://127.0.0.1:1' }
  const nobody = await runPool({ bed, cloud: said }, [])
  t.match(nobody, { code: 3, stdout: 'Hetzner Cloud at http://127.0.0.1:1 ([pool] hcloud-endpoint): no connection' })
  t.notMatch(nobody.stdout, 'nothing to do')
  cloud.instead = () => json(200, {})
  const bad = await runPool({ bed, cloud }, ['--output', 'json'])
  t.equal(bad.code, 3)
  t.match(JSON.parse(bad.stdout), { actions: [], held: [{ block: '198.51.100.1/32', reason: 'BadAnswer' }] })
  const none = await runPool({ bed, cloud, env: { CANADA_KAKTUS_HCLOUD_TOKEN: '' } }, [])
  t.equal(none.code, 2)
})
