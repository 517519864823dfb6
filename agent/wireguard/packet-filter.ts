import { identityOf } from './device.ts'
import type { MeshState } from './state.ts'

/** What our table of the packet filter is made from. */
export interface FilterFacts {
  /** WireGuard interfaces of this node. */
  readonly devices: readonly { readonly name: string; readonly listenPort: number }[]
  /** Canonical networks of pods: of this node, and of all others. */
  readonly ownPods: readonly string[]
  readonly otherPods: readonly string[]
}

/** What a look at this node's mesh says about them. */
export function filterFacts({ readings, map }: MeshState, self: string): FilterFacts {
  const texts = (isOwn: boolean) =>
    map.pods.filter(({ node }) => (node === self) === isOwn).map(({ prefix }) => prefix.text)
  return {
    devices: readings.map(reading => ({ name: reading.name, listenPort: identityOf(reading)?.listenPort ?? 0 })),
    ownPods: texts(true),
    otherPods: texts(false),
  }
}

const table = 'inet nopal_mesh'
/** Where netclients ask each other whether an address is theirs, before they take it for an endpoint. */
const probePort = 51_821

/** Takes the table away, whether it is there or not, and nothing else of the node's rules. */
export const removeFilter: readonly string[] = [`table ${table} {}`, `delete table ${table}`]

/**
 * Commands for `nft` that put our table in place of the one that was there, in one step: at no moment is there none. It
 * drops what a WireGuard device sends towards pods, which never is where a peer is, whatever way it would take, and what
 * reaches it from there, which would move a peer's endpoint; and the questions by which netclient would learn such an
 * endpoint, except through the tunnel, and to this node's own pods, which may well listen there.
 */
export function planFilter({ devices, ownPods, otherPods }: FilterFacts): readonly string[] {
  const ports = [...new Set(devices.map(device => device.listenPort).filter(port => port > 0))]
  const names = devices.map(({ name }) => name).filter(isPlain)
  const through = names.length === 0 ? '' : `oifname != { ${names.map(name => `"${name}"`).join(', ')} } `
  const pods = ports.length === 0 ? [] : [...ownPods, ...otherPods]
  const output = [
    ...dropWhere(`udp sport { ${ports.join(', ')} }`, 'daddr', pods),
    ...dropWhere(`${through}tcp dport ${probePort}`, 'daddr', otherPods),
  ]
  const input = dropWhere(`udp dport { ${ports.join(', ')} }`, 'saddr', pods)
  return [...removeFilter, `table ${table} {`, ...chain('output', output), ...chain('input', input), '}']
}

function chain(hook: 'input' | 'output', rules: readonly string[]): readonly string[] {
  return [`chain ${hook} {`, `type filter hook ${hook} priority filter; policy accept;`, ...rules, '}']
}

/** No line may be longer than the kernel takes as one argument of a program. */
const mostInRule = 1_000

function dropWhere(packets: string, side: 'saddr' | 'daddr', networks: readonly string[]): readonly string[] {
  return (['ip', 'ip6'] as const).flatMap(family => {
    const own = [...new Set(networks)].filter(network => network.includes(':') === (family === 'ip6')).sort()
    const count = Math.ceil(own.length / mostInRule)
    const parts = Array.from({ length: count }, (_, index) => own.slice(index * mostInRule, (index + 1) * mostInRule))
    return parts.map(some => `${packets} ${family} ${side} { ${some.join(', ')} } drop`)
  })
}

/** A name that means nothing else to nft. */
function isPlain(name: string): boolean {
  return /^[\w.-]+$/.test(name)
}
