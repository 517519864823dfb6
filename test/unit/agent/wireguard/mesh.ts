import type { NodeNetwork, NodeNetworkSpec } from '../../../../agent/kube/node-network.ts'
import { parsePrefix, parseSocketAddress } from '../../../../agent/wireguard/addresses.ts'
import type { Surroundings } from '../../../../agent/wireguard/classify.ts'
import type { DeviceReading, Peer } from '../../../../agent/wireguard/device.ts'
import { createMeshMap, type MeshFacts } from '../../../../agent/wireguard/mesh-map.ts'
import { keyPair } from './samples.ts'

/** Node `n<number>` at 203.0.113.<number>, with its pods in 10.42.<number>.0/24. */
export function network(number: number, more: Partial<NodeNetworkSpec> = {}): NodeNetwork {
  return {
    name: `n${number}`,
    uid: `u${number}`,
    resourceVersion: '1',
    owner: `node-${number}`,
    createdMs: 0,
    spec: {
      devices: [{ name: 'wg0', publicKey: keyPair(number).publicKey, listenPort: 51821 }],
      endpoint: `203.0.113.${number}`,
      podCIDRs: [`10.42.${number}.0/24`],
      podAddresses: [],
      ...more,
    },
    status: undefined,
  }
}

/** What this node, n1, knows of itself and of n2 and n3. */
export const facts: MeshFacts = {
  self: 'n1',
  networks: [network(1), network(2), network(3)],
  serviceCIDRs: ['10.96.0.0/16'],
  ownAddresses: ['203.0.113.1', '10.101.0.1', '10.42.1.1', 'fd00:7::1'],
}

/** A peer as the text of its endpoint and of its networks say; well unless told. */
export function peer(
  number: number,
  endpoint: string | undefined,
  more: Partial<Peer> & { allowed?: string } = {},
): Peer {
  const { allowed = `10.101.0.${number}/32,10.42.${number}.0/24`, ...rest } = more
  return {
    publicKey: keyPair(number).publicKey,
    endpoint: endpoint === undefined ? undefined : parseSocketAddress(endpoint),
    allowedIPs: allowed.split(',').flatMap(text => parsePrefix(text) ?? []),
    handshakeMs: 999_000,
    rxBytes: 10,
    txBytes: 20,
    keepalive: 20,
    ...rest,
  }
}

export function reading(peers: readonly Peer[], name = 'wg0'): DeviceReading {
  return { name, kind: 'userspace', device: { publicKey: keyPair(1).publicKey, listenPort: 51821, fwmark: 0, peers } }
}

/** One second after the peers' last handshake, on a machine that routes everything by eth0. */
export function surroundings(
  more: Partial<Surroundings> & { readonly facts?: MeshFacts; readonly nowMs?: number } = {},
): Surroundings {
  const { nowMs = 1_000_000 } = more
  return {
    map: createMeshMap(more.facts ?? facts),
    routeTo: () => ({ device: 'eth0', tunnel: false }),
    isRunaway: () => false,
    knownForMs: () => 0,
    handshakeAgeMs: (_, { handshakeMs }) => (handshakeMs === undefined ? undefined : nowMs - handshakeMs),
    ...more,
  }
}
