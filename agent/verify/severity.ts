import type { CheckCode } from './verdict.ts'

/** A hole in the path explains what fails beside it, so its reason is the one that the node shows. */
const severities: Readonly<Record<CheckCode, number>> = {
  wireguard: 6,
  mtu: 5,
  api: 4,
  dns: 3,
  tcp: 2,
  peers: 2,
  services: 1,
}

/** How grave a failing check is, from whatever place; the higher, the graver. */
export function severityOf(code: CheckCode): number {
  return severities[code]
}
