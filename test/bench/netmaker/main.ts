import { spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ApiServer, startApiServer } from '../../cluster/api-server.ts'
import { findFreePort } from '../../cluster/port.ts'
import { addHost } from '../../fakes/netmaker/hosts.ts'
import { type FakeNetmaker, startFakeNetmaker } from '../../fakes/netmaker/main.ts'
import { addNetwork } from '../../fakes/netmaker/networks.ts'
import { nodeTemplate } from '../../fakes/netmaker/node-template.ts'
import { addUser } from '../../fakes/netmaker/users.ts'
import { until } from '../../machine/wait.ts'
import { printTable } from '../cni/figures.ts'

/**
 * Prints what `nopal lead` (dist/nopal.js, as the manifest starts it) costs: 1,000 nodes from nothing with 5 ms for each
 * call of Netmaker, and 5,000 settled. Nodes of 10 kB on a real API server, hosts and nodes as large as version 1.5.1 has
 * them. node test/bench/netmaker/main.ts. No test asserts these figures.
 */

const program = join(import.meta.dirname, '../../../dist/nopal.js')
const password = randomUUID()
/** Two readings of all lists. */
const settledMs = 65_000
const nameOf = (at: number) => `node-${String(at).padStart(5, '0')}`
const rangeOf = (at: number) => `10.${at >> 8}.${at & 255}.0/24`

const server = await startApiServer({ kind: 'real', run: `bench-${randomBytes(3).toString('hex')}` })
try {
  const rows: string[][] = []
  await makeNodes(server, 0, 1_000)
  rows.push(await measure('1,000 from nothing', 1_000, { ruled: false }))
  await makeNodes(server, 1_000, 5_000)
  rows.push(await measure('5,000 settled', 5_000, { ruled: true }))
  const head = ['nodes', 'first call to last rule', 'since start', 'calls', 'writes', 'RSS peak', 'RSS settled']
  process.stdout.write(`${printTable(head, rows)}\n`)
} finally {
  await server.stop()
}

async function measure(title: string, size: number, { ruled }: { readonly ruled: boolean }): Promise<string[]> {
  const fake = await startFakeNetmaker()
  fillServer(fake, size, ruled)
  fake.faults.latencyMs = 5
  const leader = await startLeader(fake)
  try {
    const begun = performance.now()
    await until('the first call', () => fake.seen.length > 0, { everyMs: 2 })
    const first = performance.now()
    await until('all rules', () => fake.state.rules.size === size, { everyMs: 2, limitMs: 60_000 })
    const last = performance.now()
    await until('a pass that has ended', async () => (await leader.metrics()).includes('nopal_last_success'))
    await sleep(settledMs)
    const writes = fake.seen.filter(({ method, path }) => method !== 'GET' && path.startsWith('/api/v1/egress')).length
    const status = await readFile(`/proc/${leader.pid}/status`, 'utf8')
    const mb = (field: string) =>
      `${(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024).toFixed(0)} MB`
    const seconds = (ms: number) => (ruled ? '-' : `${(ms / 1000).toFixed(2)} s`)
    return [
      title,
      seconds(last - first),
      seconds(last - begun),
      String(fake.seen.length),
      String(writes),
      mb('VmHWM'),
      mb('VmRSS'),
    ]
  } finally {
    await leader.stop()
    await fake.stop()
  }
}

function fillServer({ state }: FakeNetmaker, size: number, ruled: boolean): void {
  addUser(state, 'bench', password, true)
  addNetwork(state, 'lab', '10.0.0.0/8')
  for (let at = 0; at < size; at++) {
    const name = nameOf(at)
    const host = addHost(state, { id: randomUUID(), name, endpointip: `192.0.${at >> 8}.${at & 255}` })
    const id = randomUUID()
    host.nodes = [id]
    const own = { id, hostid: host.id, network: 'lab', address: `10.${at >> 8}.${at & 255}.1/8`, connected: true }
    state.nodes.set(id, { ...structuredClone(nodeTemplate), ...own, pendingdelete: false, status: 'online' })
    if (!ruled) continue
    const words = { name: `${name} pods (1/1)`, description: 'Managed by kaput-not (DO NOT EDIT): index=0' }
    const rest = { tags: {}, mode: 'direct_nat', virtual_range: '', domain_ans: [], domain: '', created_by: 'bench' }
    const rule = { id: randomUUID(), network: 'lab', ...words, range: rangeOf(at), nodes: { [id]: 500 }, ...rest }
    state.rules.set(rule.id, { ...rule, nat: false, status: true, created_at: new Date().toISOString() })
  }
}

async function makeNodes(api: ApiServer, from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, at) => from + at).values()
  const worker = async () => {
    for (const at of numbers) {
      const metadata = { name: nameOf(at), annotations: { 'bench/padding': 'x'.repeat(9_500) } }
      const spec = { podCIDR: rangeOf(at), podCIDRs: [rangeOf(at)] }
      const body = { apiVersion: 'v1', kind: 'Node', metadata, spec }
      await api.send({ method: 'POST', path: '/api/v1/nodes', body })
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}

async function startLeader(fake: FakeNetmaker) {
  const port = await findFreePort(undefined)
  const env = {
    KUBECONFIG: server.adminKubeconfig,
    NETMAKER_API_URL: fake.url,
    NETMAKER_USERNAME: 'bench',
    NETMAKER_PASSWORD: password,
    NOPAL_NETMAKER_INTERVAL: '5s',
    NOPAL_LEADER_LISTEN: `127.0.0.1:${port}`,
  }
  const child = spawn(process.execPath, ['--max-semi-space-size=4', program, 'lead'], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise(resolve => child.once('exit', resolve))
  return {
    pid: child.pid,
    metrics: async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
