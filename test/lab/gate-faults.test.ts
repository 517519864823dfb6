import t from 'tap'
import type { Fault, FaultKind } from '../fakes/fault-proxy/start.ts'
import { until } from '../machine/wait.ts'
import { askAgent, isOpen, setLabels, shutNode, startProxy, untilOpen } from './gate-bed.ts'
import { startLab } from './lab.ts'
import { readNode, verifiedLabel } from './objects.ts'

interface DownCase {
  readonly name: string
  /** `drop`: packets to it vanish on the node. */
  readonly fault: FaultKind | 'drop'
  readonly reason: string
}

const downCases: readonly DownCase[] = [
  { name: 'refuses connections', fault: { does: 'refuse' }, reason: 'Unreachable' },
  { name: 'is a black hole', fault: 'drop', reason: 'TimedOut' },
  { name: 'takes requests and is silent', fault: { does: 'hang' }, reason: 'TimedOut' },
  { name: 'is a stranger', fault: { does: 'strange' }, reason: 'TLSFailed' },
  { name: 'knows us no more', fault: { does: 'answer', code: 401 }, reason: 'Unauthorized' },
  { name: 'allows nothing', fault: { does: 'answer', code: 403 }, reason: 'Forbidden' },
  { name: 'is broken', fault: { does: 'answer', code: 500 }, reason: 'ServerError' },
  {
    name: 'is too busy',
    fault: { does: 'answer', code: 429, retryAfterSeconds: 1 },
    reason: 'Throttled',
  },
]

const lab = await startLab({ nodes: 1 })
t.teardown(async () => {
  if (!t.passing()) t.comment(lab.run.logTails(40))
  await lab.stop()
})
const node = lab.node(1)
const { proxy, kubeconfig } = await startProxy(lab)
t.teardown(() => proxy.stop())

for (const { name, fault, reason } of downCases) {
  await t.test(`the API ${name} when the agent starts`, async t => {
    await shutNode(lab, 'n1')
    await (fault === 'drop' ? dropPackets() : proxy.set(fault))
    const agent = await lab.startAgent(node, { kubeconfig })
    await t.test('the verdict says why', async t => {
      const said = new RegExp(`^the node failed[^]*^api ${reason} `, 'm')
      await until(`the verdict ${said}`, async () => {
        const { status, text } = await askAgent(node, '/health')
        return status === 503 && said.test(text)
      })
      t.equal((await askAgent(node, '/healthz')).status, 200, 'the agent itself is well')
      await until(`a failing check by hand, ${reason}`, async () => {
        const { code, stdout } = await node.exec([node.nopalScript, 'verify', '--output', 'json', '--from', 'host'])
        const { checks } = JSON.parse(stdout) as { checks: readonly { code: string; reason?: string }[] }
        return code === 1 && checks.some(check => check.code === 'api' && check.reason === reason)
      })
      t.notOk(isOpen(await readNode(lab.api, 'n1')), 'the node is shut')
    })
    await (fault === 'drop' ? letPacketsThrough() : proxy.clear())
    const endMs = performance.now()
    await untilOpen(lab, 'n1')
    t.comment(`${reason}: open ${((performance.now() - endMs) / 1000).toFixed(1)} s after the fault's end`)
    t.equal(await agent.stop('SIGTERM', 5000), 0)
  })
}

async function dropPackets(): Promise<void> {
  const { hostname, port } = new URL(proxy.url)
  const input = `table ip hole {
  chain out {
    type filter hook output priority 0
    ip daddr ${hostname} tcp dport ${port} drop
  }
}
`
  await node.run(['nft', '-f', '-'], { input })
}

async function letPacketsThrough(): Promise<void> {
  await node.run(['nft', 'delete', 'table', 'ip', 'hole'])
}

interface CutCase {
  readonly name: string
  /** What meets the watch that is opened after the cut. */
  readonly after: readonly Fault[]
}

/** The agent has other watches too. */
const ownWatch = { watch: true, path: '^/api/v1/nodes\\?' } as const

const cutCases: readonly CutCase[] = [
  { name: 'is cut', after: [] },
  { name: 'is cut, and its place is gone', after: [{ ...ownWatch, does: 'answer', code: 410, times: 1 }] },
  { name: 'is cut, and reset twice more', after: [{ ...ownWatch, does: 'reset', times: 2 }] },
]

await t.test('a watch that breaks loses no event', async t => {
  const agent = await lab.startAgent(node, { kubeconfig })
  await untilOpen(lab, 'n1')
  for (const { name, after } of cutCases) {
    await proxy.set({ does: 'refuse' })
    await setLabels(lab, 'n1', { [verifiedLabel]: null })
    await proxy.set(...after)
    const cutMs = performance.now()
    // Fails by itself if the label that went meanwhile is missed.
    await untilOpen(lab, 'n1')
    t.comment(
      `${name}: seen, verified and labelled ${((performance.now() - cutMs) / 1000).toFixed(1)} s after the cut ended`,
    )
    t.same(
      await proxy.hits(),
      after.map(({ times = 0 }) => times),
      `${name}: the faults were met`,
    )
  }
  t.equal(await agent.stop('SIGTERM', 5000), 0)
})

await t.test('a hole under an open watch is seen by the next verification, not when the watch is given up', async t => {
  const settings = `[verify]
dns-domains = kubernetes.default.svc.cluster.local
check-timeout = 2s
interval = 1s
from = host
`
  const agent = await lab.startAgent(node, { kubeconfig, settings })
  await untilOpen(lab, 'n1')
  await until('a settled verdict', async () => (await askAgent(node, '/health')).status === 200)
  await dropPackets()
  await until('a verdict for that reason', async () => {
    const { status, text } = await askAgent(node, '/health')
    return status === 503 && /^api TimedOut /m.test(text)
  })
  t.notMatch(agent.log(), /watch failed/, 'the watch does not know yet')
  await letPacketsThrough()
  await until('it to be well again', async () => (await askAgent(node, '/health')).status === 200, { limitMs: 60_000 })
  t.equal(await agent.stop('SIGTERM', 5000), 0)
})
