import type { Attachment, ContainerRecord } from '../networks/record.ts'
import type { NetworkRequest } from '../networks/request.ts'
import { mayHaveRun } from './attach.ts'

/** Whose attachments a command is about: a configuration's, for one interface of the runtime's. */
export interface Scope {
  readonly conf: string
  readonly ifname: string
}

/** What one ADD of the runtime made. */
export function ownedBy(record: ContainerRecord, { conf, ifname }: Scope): readonly Attachment[] {
  return record.attachments.filter(entry => entry.conf === conf && entry.owner === ifname)
}

/**
 * What ends with the runtime's interface: all that its ADD made and, with the last such interface, what was
 * attached to the running pod.
 */
export function endingWith(record: ContainerRecord, scope: Scope): readonly Attachment[] {
  const isLeft = (entry: Attachment) => entry.owner !== undefined && entry.owner !== scope.ifname && mayHaveRun(entry)
  const ofConf = record.attachments.filter(({ conf }) => conf === scope.conf)
  const hotplugged = ofConf.some(isLeft) ? [] : ofConf.filter(({ owner }) => owner === undefined)
  return [...ownedBy(record, scope), ...hotplugged]
}

/** The attachment of one network that a command names; of several of that network the one on its interface. */
export function attachmentOf(
  record: ContainerRecord,
  { conf, ifname }: Scope,
  { name, namespace }: NetworkRequest,
): Attachment | undefined {
  const isMeant = ({ network }: Attachment) =>
    namespace === undefined ? network?.endsWith(`/${name}`) === true : network === `${namespace}/${name}`
  const meant = record.attachments.filter(entry => entry.conf === conf && isMeant(entry))
  return meant.find(entry => entry.ifname === ifname) ?? meant[0]
}

/** The record without some attachments. */
export function recordWithout(record: ContainerRecord, gone: readonly Attachment[]): ContainerRecord {
  const names = new Set(gone.map(({ ifname }) => ifname))
  return { ...record, attachments: record.attachments.filter(({ ifname }) => !names.has(ifname)) }
}
