import type { Attachment, ContainerRecord } from '../../cni/networks/record.ts'
import { field, type JsonObject } from '../../cni/spec/json.ts'
import { parseResult } from '../../cni/spec/result.ts'

/** One interface of a pod, in the words of multus' users. */
export interface NetworkStatus {
  readonly name: string
  readonly interface?: string
  readonly ips?: readonly string[]
  readonly mac?: string
  readonly mtu?: number
  readonly default?: true
  readonly gateway?: readonly string[]
  readonly dns: JsonObject
}

/** What all attachments of a container come to, the default network first. */
export function networkStatusOf({ attachments }: ContainerRecord): readonly NetworkStatus[] {
  const added = attachments.filter(({ status }) => status === 'added')
  return [...added.filter(({ isPrimary }) => isPrimary), ...added.filter(({ isPrimary }) => !isPrimary)].map(statusOf)
}

function statusOf({ network, list, ifname, isPrimary, result }: Attachment): NetworkStatus {
  const { interfaces, ips, dns } = parseResult(result ?? {}, list.cniVersion)
  const own = interfaces.find(each => field(each, 'name') === ifname)
  const [mac, mtu] = [own && field(own, 'mac'), own && field(own, 'mtu')]
  const gateways = ips.map(ip => field(ip, 'gateway')).filter(each => typeof each === 'string')
  return {
    name: network ?? list.name,
    interface: ifname,
    ...(ips.length > 0 && { ips: ips.map(ip => String(field(ip, 'address')).replace(/\/.*/, '')) }),
    ...(typeof mac === 'string' && { mac }),
    ...(typeof mtu === 'number' && { mtu }),
    ...(isPrimary && { default: true }),
    ...(isPrimary && gateways.length > 0 && { gateway: gateways }),
    dns,
  }
}
