import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NodeAddress } from '../kube/node.ts'
import { canonicalAddress, contains, parseAddress, parsePrefix } from './addresses.ts'

/** Where this node may be reached by others. */
export interface EndpointCandidates {
  /** `[wireguard] endpoint`. */
  readonly setting: string | undefined
  /** `[wireguard] expect-external`. */
  readonly expectExternal: boolean
  /** Of the Node. */
  readonly addresses: readonly NodeAddress[]
  /** What netclient takes for its own. */
  readonly netclient: string | undefined
  /** Networks that only lead through the mesh: of pods, and of WireGuard devices. */
  readonly inside: readonly string[]
}

/**
 * The address by which others should reach this node: the setting; else the Node's external address, what netclient
 * says, and the Node's internal one, in that order, or the internal one first where nodes are not expected at public
 * addresses. One inside the mesh itself is none.
 */
export function chooseEndpoint(candidates: EndpointCandidates): string | undefined {
  const { setting, expectExternal, addresses, netclient, inside } = candidates
  if (setting !== undefined) return canonicalAddress(setting)
  const of = (type: string) => addresses.filter(each => each.type === type).map(({ address }) => address)
  const external = [...of('ExternalIP'), ...(netclient === undefined ? [] : [netclient])]
  const ordered = expectExternal ? [...external, ...of('InternalIP')] : [...of('InternalIP'), ...external]
  return ordered.map(canonicalAddress).find(address => address !== undefined && !isInside(address, inside))
}

function isInside(text: string, networks: readonly string[]): boolean {
  const address = parseAddress(text)
  if (address === undefined) return true
  const whole = { ...address, length: address.family === 4 ? 32 : 128 }
  return networks.some(network => {
    const prefix = parsePrefix(network)
    return prefix !== undefined && contains(prefix, whole)
  })
}

const netclientFile = '/etc/netclient/netclient.json'
const longestValue = 64

/**
 * The endpoint that netclient has found for this machine; undefined = it is not there, or does not say. The file holds
 * private keys: only the few bytes that are wanted become text, and the rest is wiped.
 */
export async function readNetclientEndpoint(hostRoot: string): Promise<string | undefined> {
  const file = hostRoot === '' ? netclientFile : join(hostRoot, netclientFile)
  const bytes = await readFile(file).catch(() => Buffer.alloc(0))
  try {
    const at = bytes.indexOf('"endpointip"')
    if (at === -1) return undefined
    const [, value = ''] =
      /^"endpointip"\s*:\s*"([0-9a-fA-F.:]+)"/.exec(bytes.toString('latin1', at, at + longestValue)) ?? []
    return canonicalAddress(value)
  } finally {
    bytes.fill(0)
  }
}
