import type { Metrics } from '../runtime/metrics.ts'
import type { DeviceView } from './classify.ts'

/** What is counted of the mesh. */
export interface WireguardMetrics {
  recordLook(devices: readonly DeviceView[]): void
  /** @param action `set` an endpoint, or `reset` the program that owns a device */
  countHeal(action: 'set' | 'reset', outcome: string): void
  /** Seconds in which wrong endpoints must have come up before they were seen. */
  observeDetect(seconds: number): void
  /** Seconds from when a wrong endpoint was seen until its peer was proved to live again. */
  observeHeal(seconds: number): void
}

export function createWireguardMetrics(metrics: Metrics): WireguardMetrics {
  const name = (part: string) => `nopal_wireguard_${part}`
  const peers = metrics.gauge(name('peers'), 'WireGuard peers by what their endpoint is.', ['device', 'class'])
  const ages = metrics.gauge(
    name('handshake_age_max_seconds'),
    'Age of the oldest last handshake with a peer that is a node and is kept alive; peers without any are left out.',
    ['device'],
  )
  const heals = metrics.counter(name('heals_total'), 'Steps to put wrong endpoints right.', ['action', 'outcome'])
  const detect = metrics.histogram(
    name('detect_seconds'),
    'Time in which a wrong endpoint must have come up before it was seen.',
    [],
    [0.25, 0.5, 1, 2, 5, 10],
  )
  const heal = metrics.histogram(
    name('heal_seconds'),
    'Time from when a wrong endpoint was seen until its peer was proved to live again.',
    [],
    [1, 2, 3, 5, 10, 30, 60, 300, 600],
  )
  return {
    recordLook(devices) {
      peers.reset()
      ages.reset()
      for (const device of devices) {
        for (const peer of device.peers) peers.inc({ device: device.name, class: peer.class })
        const kept = device.peers.filter(peer => peer.node !== null).map(peer => peer.handshakeAge ?? 0)
        if (kept.length > 0) ages.set({ device: device.name }, Math.max(...kept))
      }
    },
    countHeal: (action, outcome) => heals.inc({ action, outcome }),
    observeDetect: seconds => detect.observe(seconds),
    observeHeal: seconds => heal.observe(seconds),
  }
}
