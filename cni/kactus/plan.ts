import { interfaceName } from '../networks/interface-name.ts'
import { confListOf } from '../networks/network-object.ts'
import type { Attachment } from '../networks/record.ts'
import { printCniArgs } from '../spec/args.ts'
import type { ConfList, PluginConf } from '../spec/conf.ts'
import { CniCode, CniError } from '../spec/errors.ts'
import { field, isJsonObject, type JsonObject } from '../spec/json.ts'
import type { Conf, ConfDelegate } from './config.ts'
import type { ResolvedNetwork } from './lookup.ts'
import { delegateArgs } from './pod-args.ts'
import type { Request } from './request.ts'

/** A network, its object and the device it was given. */
export interface WantedNetwork extends ResolvedNetwork {
  readonly deviceId: string | undefined
}

export interface PlanInput {
  readonly conf: Conf
  readonly request: Request
  /** What the container has already. */
  readonly present: readonly Attachment[]
}

/**
 * What an ADD for a new container shall attach, the default network first.
 * @throws CniError 7 where two would have one interface name
 */
export function planContainer(
  input: PlanInput,
  delegates: readonly ConfDelegate[],
  wanted: readonly WantedNetwork[],
): readonly Attachment[] {
  const primary = wanted.find(({ request }) => request.isPrimary)
  const aux = wanted.filter(network => network !== primary).map(network => planNetwork(input, network, 'aux'))
  const others = delegates.filter(({ isMaster }) => !isMaster).map(({ list }) => planDelegate(input, list, false))
  const masters = delegates.filter(({ isMaster }) => isMaster).map(({ list }) => planDelegate(input, list, true))
  const first = primary === undefined ? masters : [planNetwork(input, primary, 'primary')]
  const attachments = [...first, ...others, ...aux]
  refuseCollisions([...input.present, ...attachments])
  return attachments
}

/**
 * What an ADD of one network to a running container shall attach.
 * @throws CniError 7
 */
export function planHotplug(input: PlanInput, wanted: WantedNetwork): Attachment {
  const attachment = { ...planNetwork(input, wanted, 'aux'), owner: undefined }
  refuseCollisions([...input.present, attachment])
  return attachment
}

function planDelegate(input: PlanInput, list: ConfList, isPrimary: boolean): Attachment {
  const { conf, request } = input
  return {
    conf: conf.name,
    owner: request.ifname,
    network: undefined,
    ifname: isPrimary ? request.ifname : interfaceName(list.name),
    isPrimary,
    mac: undefined,
    args: printCniArgs(delegateArgs(request.args, { isPrimary, mac: undefined })),
    capabilityArgs: isPrimary ? conf.runtimeConfig : {},
    list,
    status: 'planned',
    result: undefined,
    refusal: undefined,
  }
}

function planNetwork(input: PlanInput, wanted: WantedNetwork, role: 'primary' | 'aux'): Attachment {
  const { conf, request } = input
  const { object, deviceId } = wanted
  const { mac, ifname, capabilityArgs, cniArgs } = wanted.request
  const isPrimary = role === 'primary'
  return {
    conf: conf.name,
    owner: request.ifname,
    network: `${object.namespace}/${object.name}`,
    ifname: isPrimary ? request.ifname : (ifname ?? interfaceName(object.name)),
    isPrimary,
    mac,
    args: printCniArgs(delegateArgs(request.args, { isPrimary, mac })),
    capabilityArgs: {
      ...(isPrimary && conf.runtimeConfig),
      ...capabilityArgs,
      ...(mac !== undefined && { mac }),
      ...(deviceId !== undefined && { deviceID: deviceId }),
    },
    list: withExtras(confListOf(object, conf.cniVersion), { cniArgs, deviceId, resourceName: object.resourceName }),
    status: 'planned',
    result: undefined,
    refusal: undefined,
  }
}

interface Extras {
  readonly cniArgs: JsonObject | undefined
  readonly deviceId: string | undefined
  readonly resourceName: string | undefined
}

function withExtras(list: ConfList, { cniArgs, deviceId, resourceName }: Extras): ConfList {
  if (cniArgs === undefined && deviceId === undefined) return list
  const plugins = list.plugins.map((plugin, index): PluginConf => {
    // The first plugin of a chain makes the interface; it is the one that moves the device.
    const device =
      index === 0 && deviceId !== undefined ? { deviceID: deviceId, resourceName: resourceName ?? null } : {}
    return { ...plugin, ...device, ...(cniArgs !== undefined && { args: withCniArgs(plugin, cniArgs) }) }
  })
  return { ...list, plugins }
}

function withCniArgs(plugin: PluginConf, cniArgs: JsonObject): JsonObject {
  const args = field(plugin, 'args')
  const outer = isJsonObject(args) ? args : {}
  const cni = field(outer, 'cni')
  return { ...outer, cni: { ...(isJsonObject(cni) ? cni : {}), ...cniArgs } }
}

function refuseCollisions(attachments: readonly Attachment[]): void {
  const byName = new Map<string, Attachment>()
  for (const attachment of attachments.filter(({ status }) => status !== 'deleted')) {
    const other = byName.get(attachment.ifname)
    if (other !== undefined) {
      const both = `${titleOf(other)} and ${titleOf(attachment)}`
      throw new CniError(CniCode.InvalidNetworkConfig, `${both} would have the same interface, ${attachment.ifname}`)
    }
    byName.set(attachment.ifname, attachment)
  }
}

/** What a message calls an attachment. */
export function titleOf(attachment: Attachment): string {
  if (attachment.network !== undefined) return `network ${attachment.network}`
  return attachment.isPrimary ? 'the default network' : `delegate ${attachment.list.name}`
}
