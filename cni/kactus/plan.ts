import { PodBudget, sizeOf } from '../networks/bounds.ts'
import { interfaceName } from '../networks/interface-name.ts'
import { confListOf, type NetworkObject } from '../networks/network-object.ts'
import type { Attachment } from '../networks/record.ts'
import { isAsked } from '../networks/request.ts'
import { printCniArgs } from '../spec/args.ts'
import type { ConfList, PluginConf } from '../spec/conf.ts'
import { CniCode, CniError } from '../spec/errors.ts'
import { field, isJsonObject, type JsonObject, printJson } from '../spec/json.ts'
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
  const further = wanted.filter(network => network !== primary)
  const aux = further.map((network, at) => planNetwork(input, network, auxName(network, further.slice(0, at))))
  const others = delegates.filter(({ isMaster }) => !isMaster).map(({ list }) => planDelegate(input, list, false))
  const masters = delegates.filter(({ isMaster }) => isMaster).map(({ list }) => planDelegate(input, list, true))
  const first = primary === undefined ? masters : [planNetwork(input, primary, primaryName(input, primary))]
  const attachments = [...first, ...others, ...aux]
  refuseTogether([...input.present, ...attachments])
  return attachments
}

/**
 * What an ADD of one network to a running container shall attach.
 * @throws CniError 7
 */
export function planHotplug(input: PlanInput, wanted: WantedNetwork): Attachment {
  const attachment = { ...planNetwork(input, wanted, auxName(wanted, [])), owner: undefined }
  refuseTogether([...input.present, attachment])
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

/** Where a network goes. */
interface Place {
  readonly ifname: string
  readonly isPrimary: boolean
}

/** @throws CniError 7 where it was asked for under another name */
function primaryName({ request }: PlanInput, { request: { ifname }, object }: WantedNetwork): Place {
  if (ifname === undefined || ifname === request.ifname) return { ifname: request.ifname, isPrimary: true }
  const message = `network ${object.namespace}/${object.name} is to be the default one, and so cannot be on ${ifname}`
  throw new CniError(CniCode.InvalidNetworkConfig, message)
}

/** A NetworkAttachmentDefinition that is asked for again, both times without a name for its interface, counts on. */
function auxName({ request, object }: WantedNetwork, before: readonly WantedNetwork[]): Place {
  if (request.ifname !== undefined) return { ifname: request.ifname, isPrimary: false }
  const { name, kind } = object
  const same = before.filter(other => other.request.ifname === undefined && isOneObject(other.object, object))
  const ordinal = kind === 'NetworkAttachmentDefinition' ? 1 + same.length : 1
  return { ifname: interfaceName(ordinal === 1 ? name : `${name}:${ordinal}`), isPrimary: false }
}

function isOneObject(one: NetworkObject, other: NetworkObject): boolean {
  return one.kind === other.kind && one.namespace === other.namespace && one.name === other.name
}

function planNetwork(input: PlanInput, wanted: WantedNetwork, place: Place): Attachment {
  const { conf, request } = input
  const { object, deviceId } = wanted
  const { mac, capabilityArgs, cniArgs } = wanted.request
  const { isPrimary } = place
  const list = confListOf(object, conf.cniVersion)
  refuseUndeclared(object, list, [...Object.keys(capabilityArgs), ...(isPrimary ? asksOfPrimary(conf) : [])])
  return {
    conf: conf.name,
    owner: request.ifname,
    network: `${object.namespace}/${object.name}`,
    ...place,
    mac,
    args: printCniArgs(delegateArgs(request.args, { isPrimary, mac })),
    capabilityArgs: {
      ...(isPrimary && conf.runtimeConfig),
      ...capabilityArgs,
      ...(mac !== undefined && { mac }),
      ...(deviceId !== undefined && { deviceID: deviceId }),
    },
    list: withExtras(list, { cniArgs, deviceId, resourceName: object.resourceName }),
    status: 'planned',
    result: undefined,
    refusal: undefined,
  }
}

/** What the runtime hands on of a pod's own wishes; what else it gives, nobody has asked for. */
function asksOfPrimary({ runtimeConfig }: Conf): readonly string[] {
  return ['portMappings', 'bandwidth'].filter(key => isAsked(field(runtimeConfig, key)))
}

/** A wish that no plugin of the network would be told of. */
function refuseUndeclared({ namespace, name }: NetworkObject, { plugins }: ConfList, wishes: readonly string[]): void {
  const declares = (wish: string) => (plugin: PluginConf) => {
    const capabilities = field(plugin, 'capabilities') ?? null
    return isJsonObject(capabilities) && field(capabilities, wish) === true
  }
  const lost = wishes.find(wish => !plugins.some(declares(wish)))
  if (lost === undefined) return
  const message = `the pod asks for "${lost}" of network ${namespace}/${name}, and none of its plugins has that capability`
  throw new CniError(CniCode.InvalidNetworkConfig, message)
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
    const device = index === 0 && deviceId !== undefined && deviceKeys(deviceId, resourceName)
    return { ...plugin, ...device, ...(cniArgs !== undefined && { args: withCniArgs(plugin, cniArgs) }) }
  })
  return { ...list, plugins }
}

/** Each plugin of devices reads one of the first two. */
function deviceKeys(deviceId: string, resourceName: string | undefined): JsonObject {
  return { deviceID: deviceId, pciBusID: deviceId, resourceName: resourceName ?? null }
}

function withCniArgs(plugin: PluginConf, cniArgs: JsonObject): JsonObject {
  const args = field(plugin, 'args')
  const outer = isJsonObject(args) ? args : {}
  const cni = field(outer, 'cni')
  return { ...outer, cni: { ...(isJsonObject(cni) ? cni : {}), ...cniArgs } }
}

function refuseTogether(attachments: readonly Attachment[]): void {
  refuseCollisions(attachments)
  const budget = new PodBudget()
  for (const { network, list, capabilityArgs } of attachments) {
    // With what the pod itself adds to each plugin.
    if (network !== undefined) budget.spend(sizeOf(printJson({ list: { ...list }, capabilityArgs })))
  }
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
