import type { Check, Finding } from './check.ts'

/** What is known of this node's WireGuard devices and their peers. */
export interface WireguardSource {
  /** A finding per device and peer. */
  inspect(signal: AbortSignal): Promise<readonly Finding[]>
}

/** Hands on what the source says. */
export function createWireguardCheck(source: WireguardSource, limitMs: number): Check {
  return {
    code: 'wireguard',
    title: 'WireGuard',
    dependsOn: [],
    limitMs,
    overdue: 'DeviceUnreadable',
    run: probe => probe.within(signal => source.inspect(signal)),
  }
}
