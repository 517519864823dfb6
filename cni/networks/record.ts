import type { ConfList } from '../spec/conf.ts'
import { confListFrom } from '../spec/conf.ts'
import { field, isJsonObject, type Json, type JsonObject, parseJsonOr, printJson } from '../spec/json.ts'

/** The version of the file's shape. */
const SCHEMA = 1

/**
 * How far an attachment has come.
 * `planned`: its plugins have not been started. `adding`: they may have run. `added`: they have, with a result.
 * `deleted`: undone, kept only until the rest of its pod is.
 */
export type AttachmentStatus = 'planned' | 'adding' | 'added' | 'deleted'

/** One network of one container, with all that is needed to undo it. */
export interface Attachment {
  /** `name` of the kactus configuration it was made under. */
  readonly conf: string
  /** CNI_IFNAME of the runtime's ADD that made it; undefined = attached to a running pod. */
  readonly owner: string | undefined
  /** `namespace/name` of the network object; undefined = of the configuration's own delegates. */
  readonly network: string | undefined
  readonly ifname: string
  /** The default network of its owner. */
  readonly isPrimary: boolean
  readonly mac: string | undefined
  /** CNI_ARGS of its plugins. */
  readonly args: string
  readonly capabilityArgs: JsonObject
  readonly list: ConfList
  readonly status: AttachmentStatus
  readonly result: JsonObject | undefined
  /** How its ADD failed, in the plugin's words. */
  readonly refusal: Refusal | undefined
}

export interface Refusal {
  readonly code: number
  readonly message: string
  /** Since the epoch. */
  readonly timeMs: number
}

export interface PodRef {
  readonly namespace: string
  readonly name: string
  readonly uid: string | undefined
}

/** What kactus knows of a container. It is written before the first plugin runs. */
export interface ContainerRecord {
  readonly containerId: string
  readonly netns: string
  readonly pod: PodRef | undefined
  /** In the order they were asked for. */
  readonly attachments: readonly Attachment[]
}

/** The file is not what was written there. */
export class RecordError extends Error {
  override readonly name = 'RecordError'
  readonly code = 'BadRecord'
}

export function printRecord(record: ContainerRecord): string {
  const attachments = record.attachments.map(entry => ({
    ...entry,
    owner: entry.owner ?? null,
    network: entry.network ?? null,
    mac: entry.mac ?? null,
    result: entry.result ?? null,
    refusal: entry.refusal === undefined ? null : { ...entry.refusal },
    list: { ...entry.list },
  }))
  const pod = record.pod === undefined ? null : { ...record.pod, uid: record.pod.uid ?? null }
  return printJson({ schema: SCHEMA, containerId: record.containerId, netns: record.netns, pod, attachments })
}

/**
 * Reads a record and believes nothing that is not whole.
 * @param containerId whose record it must be
 * @throws RecordError
 */
export function parseRecord(text: string, containerId: string): ContainerRecord {
  const json = parseJsonOr(text, cause => new RecordError(`the record is no JSON: ${cause.message}`, { cause }))
  const document = asObject(json, 'the record')
  if (field(document, 'schema') !== SCHEMA) throw new RecordError('the record has a schema of another version')
  if (field(document, 'containerId') !== containerId) throw new RecordError('the record is of another container')
  const attachments = field(document, 'attachments')
  if (!Array.isArray(attachments)) throw new RecordError('the record has no list of attachments')
  return {
    containerId,
    netns: asString(document, 'netns'),
    pod: podOf(field(document, 'pod')),
    attachments: (attachments as readonly Json[]).map(attachmentOf),
  }
}

function attachmentOf(value: Json): Attachment {
  const entry = asObject(value, 'an attachment')
  const list = asObject(field(entry, 'list'), 'the network of an attachment')
  const result = field(entry, 'result') ?? null
  return {
    conf: asString(entry, 'conf'),
    owner: asOptional(entry, 'owner'),
    network: asOptional(entry, 'network'),
    ifname: asString(entry, 'ifname'),
    isPrimary: field(entry, 'isPrimary') === true,
    mac: asOptional(entry, 'mac'),
    args: asString(entry, 'args'),
    capabilityArgs: asObject(field(entry, 'capabilityArgs'), 'the capabilities of an attachment'),
    list: listOf(list),
    status: statusOf(field(entry, 'status')),
    result: result === null ? undefined : asObject(result, 'the result of an attachment'),
    refusal: refusalOf(field(entry, 'refusal')),
  }
}

function listOf(document: JsonObject): ConfList {
  try {
    return confListFrom(document)
  } catch (error) {
    throw new RecordError('an attachment has no valid network', { cause: error })
  }
}

function statusOf(value: Json | undefined): AttachmentStatus {
  if (value === 'planned' || value === 'adding' || value === 'added' || value === 'deleted') return value
  throw new RecordError('an attachment has no known status')
}

function refusalOf(value: Json | undefined): Refusal | undefined {
  if (value === undefined || value === null) return undefined
  const document = asObject(value, 'the refusal of an attachment')
  const code = field(document, 'code')
  const timeMs = field(document, 'timeMs')
  if (typeof code !== 'number' || typeof timeMs !== 'number') throw new RecordError('a refusal has no code or no time')
  return { code, message: asString(document, 'message'), timeMs }
}

function podOf(value: Json | undefined): PodRef | undefined {
  if (value === undefined || value === null) return undefined
  const pod = asObject(value, 'the pod')
  return { namespace: asString(pod, 'namespace'), name: asString(pod, 'name'), uid: asOptional(pod, 'uid') }
}

function asObject(value: Json | undefined, what: string): JsonObject {
  if (isJsonObject(value)) return value
  throw new RecordError(`${what} is no object`)
}

function asString(object: JsonObject, key: string): string {
  const value = field(object, key)
  if (typeof value === 'string') return value
  throw new RecordError(`"${key}" is no string`)
}

function asOptional(object: JsonObject, key: string): string | undefined {
  return (field(object, key) ?? null) === null ? undefined : asString(object, key)
}
