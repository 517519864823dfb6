import { forEachBounded } from '../../cni/host/bounded.ts'
import type { Clock } from '../runtime/clock.ts'
import type { NetmakerClient } from './client.ts'
import { NetmakerError } from './errors.ts'
import { parseDescription } from './label.ts'
import type { EgressRule, Mesh } from './world.ts'

/** What the server has, asked for once in a while. */
export interface MeshLists {
  /** As it was at most 30 s ago; `fresh` = as it is now. One list per kind and network. */
  read(signal: AbortSignal, fresh?: boolean): Promise<Listed>
  /** Something was written, or may have been. */
  forget(): void
}

export interface Listed {
  readonly mesh: Mesh
  /** It may have changed since. */
  readonly isOld: boolean
}

/** kaput-not's. */
const keptMs = 30_000
const width = 8

export function createMeshLists(client: NetmakerClient, clock: Clock): MeshLists {
  let kept: { readonly mesh: Mesh; readonly atMs: number } | undefined
  /** Networks with rules of ours, which outlive a network: nothing else would name them then. */
  let remembered: ReadonlySet<string> = new Set()
  return {
    async read(signal, fresh = false) {
      if (!fresh && kept !== undefined && clock.monotonic() - kept.atMs < keptMs)
        return { mesh: kept.mesh, isOld: true }
      kept = undefined
      const mesh = await readMesh(client, remembered, signal)
      remembered = new Set([...mesh.rules].filter(([, rules]) => rules.some(isManaged)).map(([network]) => network))
      kept = { mesh, atMs: clock.monotonic() }
      return { mesh, isOld: false }
    },
    forget() {
      kept = undefined
    },
  }
}

const isManaged = ({ description }: EgressRule) => parseDescription(description) !== undefined

async function readMesh(client: NetmakerClient, more: Iterable<string>, signal: AbortSignal): Promise<Mesh> {
  const [hosts, nodes, named] = await Promise.all([
    client.listHosts(signal),
    client.listNodes(signal),
    client.listNetworks(signal).catch(noneIfForbidden),
  ])
  const networks = [...new Set([...nodes.map(({ network }) => network), ...named, ...more])].sort()
  const found = new Map<string, readonly EgressRule[]>()
  await forEachBounded(networks, width, async network => {
    found.set(network, await client.listRules(network, signal))
  })
  return { hosts, nodes, rules: new Map([...found].sort()) }
}

/** Users of some editions may not list networks: those that have nodes are known all the same. */
function noneIfForbidden(error: unknown): readonly string[] {
  if (error instanceof NetmakerError && error.code === 'Forbidden') return []
  throw error
}
