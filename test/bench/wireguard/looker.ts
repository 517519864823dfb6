import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../../agent/runtime/clock.ts'
import { interpretOnly, keepMemorySmall } from '../../../agent/runtime/memory.ts'
import { createMeshMap } from '../../../agent/wireguard/mesh-map.ts'
import { openNodeObserver } from '../../../agent/wireguard/node-observer.ts'

// Looks when it is told to, by the agent's own code and with the engine as the agent has it, and says what it cost.

export interface LookConfig {
  readonly device: string
  /** Public keys, each of a node. */
  readonly keys: readonly string[]
}

export interface LookAnswer {
  readonly wallMs: number
  readonly cpuMs: number
  readonly rss: number
  readonly peers: number
}

interpretOnly()
const [{ device, keys }] = (await once(process, 'message')) as [LookConfig]
const networks = keys.map((publicKey, index) => ({
  name: `n${index}`,
  uid: `u${index}`,
  resourceVersion: '1',
  owner: `o${index}`,
  createdMs: 0,
  spec: {
    devices: [{ name: device, publicKey, listenPort: 51821 }],
    endpoint: `203.0.${index >> 8}.${index & 255}`,
    podCIDRs: [`10.${128 + (index >> 8)}.${index & 255}.0/24`],
    podAddresses: [],
  },
  status: undefined,
}))
const map = createMeshMap({ self: 'self', networks, serviceCIDRs: ['10.96.0.0/16'], ownAddresses: [] })
const observer = await openNodeObserver({
  hostRoot: '',
  interfaces: [],
  clock: systemClock,
  waits: true,
  onNoRoutes: error => {
    throw error
  },
})
const idleRss = process.memoryUsage.rss()
const memory = keepMemorySmall(systemClock)
process.on('message', async (asked: 'look' | 'rest') => {
  if (asked === 'rest') {
    memory.rest()
    await sleep(2_000)
    process.send?.({ wallMs: 0, cpuMs: 0, rss: process.memoryUsage.rss() - idleRss, peers: 0 })
    return
  }
  const [cpu, beganMs] = [process.cpuUsage(), performance.now()]
  const { devices } = await observer.observe(map)
  const wallMs = performance.now() - beganMs
  const { user, system } = process.cpuUsage(cpu)
  const seen = devices.flatMap(({ peers }) => peers.filter(({ node }) => node !== null)).length
  process.send?.({ wallMs, cpuMs: (user + system) / 1000, rss: process.memoryUsage.rss() - idleRss, peers: seen })
})
process.send?.('ready')
