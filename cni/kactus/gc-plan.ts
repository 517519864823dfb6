import { interfaceName } from '../networks/interface-name.ts'
import type { Attachment, ContainerRecord } from '../networks/record.ts'
import type { ValidAttachment } from '../spec/chain.ts'
import type { ConfList, PluginConf } from '../spec/conf.ts'
import { printJson } from '../spec/json.ts'
import type { ConfDelegate } from './config.ts'

/**
 * The attachments of a container that the runtime no longer has. The runtime only knows the interfaces it asked for:
 * what came with one of them, or was attached while the pod ran, lives as long as that one.
 * @param conf name of the configuration; others' attachments are not judged
 */
export function staleOf(
  record: ContainerRecord,
  conf: string,
  valid: readonly ValidAttachment[],
): readonly Attachment[] {
  const alive = new Set(
    valid.filter(({ containerID }) => containerID === record.containerId).map(({ ifname }) => ifname),
  )
  return record.attachments.filter(entry => {
    const isAlive = entry.owner === undefined ? alive.size > 0 : alive.has(entry.owner)
    return entry.conf === conf && !isAlive
  })
}

/** A network's plugins, and what is attached to that network still, by its own interface names. */
export interface GcForward {
  readonly list: ConfList
  readonly valid: readonly ValidAttachment[]
}

/**
 * What to tell which plugins. Networks of one CNI name share their plugins' memory (addresses, say), so each is told
 * of all attachments of that name.
 * @param records what is left after the stale ones went
 */
export function planForward(
  delegates: readonly ConfDelegate[],
  records: readonly ContainerRecord[],
  valid: readonly ValidAttachment[],
): readonly GcForward[] {
  const uses = [...delegates.flatMap(delegate => usesOfDelegate(delegate, valid)), ...records.flatMap(usesOfRecord)]
  const lists = new Map<string, ConfList>()
  for (const list of [...delegates.map(delegate => delegate.list), ...uses.map(use => use.list)]) {
    const bare = withoutDevice(list)
    lists.set(printJson({ ...bare }), bare)
  }
  return [...lists.values()].map(list => ({ list, valid: distinct(uses.filter(use => use.list.name === list.name)) }))
}

interface Use extends ValidAttachment {
  readonly list: ConfList
}

function usesOfDelegate({ list, isMaster }: ConfDelegate, valid: readonly ValidAttachment[]): readonly Use[] {
  return valid.map(({ containerID, ifname }) => ({
    list,
    containerID,
    ifname: isMaster ? ifname : interfaceName(list.name),
  }))
}

function usesOfRecord({ containerId, attachments }: ContainerRecord): readonly Use[] {
  const live = attachments.filter(({ status }) => status !== 'deleted')
  return live.map(({ list, ifname }) => ({ list, containerID: containerId, ifname }))
}

/** A network is the same whichever device its pods were given. */
function withoutDevice(list: ConfList): ConfList {
  const plugins = list.plugins.map((plugin): PluginConf => {
    const { deviceID: _device, ...rest } = plugin
    return { ...rest, type: plugin.type }
  })
  return { ...list, plugins }
}

function distinct(uses: readonly Use[]): readonly ValidAttachment[] {
  const byKey = new Map(uses.map(({ containerID, ifname }) => [`${containerID}/${ifname}`, { containerID, ifname }]))
  return [...byKey.values()]
}
