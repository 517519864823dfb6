import type { Check, Finding } from './check.ts'

/** What is known of this node's part in the WireGuard mesh. */
export interface WireguardSource {
  /** A finding per device and peer. */
  inspect(signal: AbortSignal): Promise<readonly Finding[]>
  /** Whether other nodes route this node's pod CIDRs. */
  egress(signal: AbortSignal): Promise<readonly Finding[]>
}

/** Hands on what the source says. */
export function createWireguardChecks(source: WireguardSource, limitMs: number): readonly Check[] {
  const common = { dependsOn: [], limitMs } as const
  return [
    {
      ...common,
      code: 'wireguard',
      title: 'WireGuard',
      overdue: 'DeviceUnreadable',
      run: probe => probe.within(signal => source.inspect(signal)),
    },
    {
      ...common,
      code: 'egress',
      title: "routes to this node's pods",
      overdue: 'TimedOut',
      run: probe => probe.within(signal => source.egress(signal)),
    },
  ]
}
