import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import type { KubeApi } from '../../agent/kube/api.ts'
import { createLease } from '../../agent/kube/lease.ts'
import { startLoop } from '../../agent/runtime/loop.ts'
import { createMetrics } from '../../agent/runtime/metrics.ts'
import { createMeshDuty } from '../../agent/wireguard/duty.ts'
import { createWireguardMetrics } from '../../agent/wireguard/metrics.ts'
import { createReset } from '../../agent/wireguard/reset.ts'
import { type ApiServer, startApiServer } from '../cluster/api-server.ts'
import { applyManifests } from '../lab/product.ts'
import { createFakeClock, settle } from '../unit/agent/runtime/fake-clock.ts'
import { createRecordingLogger } from '../unit/agent/runtime/recording-logger.ts'
import { peer, surroundings } from '../unit/agent/wireguard/mesh.ts'
import { toldObserver } from '../unit/agent/wireguard/told-observer.ts'
import { agentClient } from './agent-policy/work.ts'

/** Twenty nodes whose endpoints leak together, each with a netclient that remembers: one at a time is made to forget. */

const nodes = Array.from({ length: 20 }, (_, index) => `n${index + 1}`)
const api = await startApiServer({ kind: 'real', run: `heal-${randomBytes(3).toString('hex')}` })
t.teardown(() => api.stop())
await applyManifests(api)

/** Told time stands still while a request is on its way: however slow the server, no term runs out. */
const clock = createFakeClock(Date.now())
const onTheirWay = new Set<Promise<unknown>>()

function noting(kube: KubeApi): KubeApi {
  return {
    server: kube.server,
    request(request) {
      const answer = kube.request(request)
      onTheirWay.add(answer)
      const arrive = () => onTheirWay.delete(answer)
      answer.then(arrive, arrive)
      return answer
    },
  }
}

/** A step of told time, and what comes of it. */
async function pass(): Promise<void> {
  await clock.advance(100)
  while (onTheirWay.size > 0) {
    await Promise.allSettled(onTheirWay)
    await settle()
  }
}

/** As told. */
const longestMs = 600_000

/** Lets time pass until it is so. */
async function passUntil(what: string, isSo: () => boolean): Promise<void> {
  const endMs = clock.monotonic() + longestMs
  while (!isSo()) {
    if (clock.monotonic() > endMs) throw new Error(`waited ${longestMs / 1000} s, as told, for ${what}`)
    await pass()
  }
}

/** How long a netclient is away, as told. */
const awayMs = 6_000
const [right, wrong] = ['203.0.113.2:51821', '10.42.2.0:51821']

interface Turn {
  readonly node: string
  readonly atMs: number
}

async function startNode(t: Test, api: ApiServer, node: string, turns: Turn[]) {
  const { token = '' } = await api.targetFor('nopal', 'nopal', node)
  const kube = agentClient(api, token)
  const log = createRecordingLogger()
  const device = { endpoint: right, remembers: true, moves: 0 }
  const lease = createLease({ api: noting(kube), namespace: 'nopal', name: 'nopal-heal', holder: node, clock, log })
  const duty = createMeshDuty({
    observer: toldObserver({
      nowMs: clock.now,
      peers: () => [peer(2, device.endpoint)],
      onMove() {
        device.moves += 1
        device.endpoint = right
        if (device.remembers) clock.after(2_000, () => leak(device))
      },
    }),
    map: () => surroundings().map,
    mode: 'heal',
    prover: { follow: () => undefined, proved: () => new Set(), stop: () => undefined },
    reset: createReset({
      lease,
      async forget() {
        turns.push({ node, atMs: clock.monotonic() })
        device.remembers = false
        device.endpoint = right
        return 'done'
      },
      clock,
    }),
    tell: async () => undefined,
    onState: () => undefined,
    metrics: createWireguardMetrics(createMetrics()),
    clock,
    log,
    random: Math.random,
  })
  const loop = startLoop(duty, { clock, log, random: Math.random })
  t.teardown(() => loop.stop().then(() => kube.close()))
  return device
}

function leak(device: { endpoint: string; readonly remembers: boolean }): void {
  if (device.remembers) device.endpoint = wrong
}

t.test('one reset at a time', async t => {
  const turns: Turn[] = []
  const devices = await Promise.all(nodes.map(node => startNode(t, api, node, turns)))
  for (const device of devices) leak(device)
  await passUntil('every node to have its turn', () => turns.length >= nodes.length)
  await passUntil('all to be right', () => devices.every(({ endpoint }) => endpoint === right))
  t.strictSame(turns.map(({ node }) => node).sort(), [...nodes].sort(), 'each once')
  const gaps = turns.slice(1).map(({ atMs }, index) => atMs - (turns[index]?.atMs ?? 0))
  t.ok(Math.min(...gaps) >= awayMs, `the next ${Math.round(Math.min(...gaps))} ms after the last, or later`)
  t.ok(
    devices.every(({ moves }) => moves <= 3),
    'and none was put right more than three times',
  )
  const lasted = ((turns.at(-1)?.atMs ?? 0) - (turns[0]?.atMs ?? 0)) / 1000
  t.comment(`20 resets in ${Math.round(lasted)} s as told; the shortest gap was ${Math.round(Math.min(...gaps))} ms`)
})
