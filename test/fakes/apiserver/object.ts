import { randomInt, randomUUID } from 'node:crypto'
import { badRequest, type Cause, Fault, invalid, modified } from './fault.ts'
import { asList, asObject, asText, isObject, isSame, type Json, type JsonObject, valueAt, without } from './json.ts'
import { apiVersionOf, type Resource } from './resources.ts'

const nameRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789'

/** Reads the body of a create or an update as an object of this resource. */
export function readObject(resource: Resource, body: unknown): JsonObject {
  if (!isObject(body)) throw badRequest(`the object provided is unrecognized (must be of type ${resource.kind})`)
  const kind = asText(body.kind)
  if (kind !== '' && kind !== resource.kind) {
    throw badRequest(`${kind} in version "${resource.version}" cannot be handled as a ${resource.kind}`)
  }
  if (resource.custom && (kind === '' || asText(body.apiVersion) === '')) {
    throw badRequest(`the object provided is unrecognized (must be of type ${resource.kind}): Object 'Kind' is missing`)
  }
  return { ...body, kind: resource.kind, apiVersion: apiVersionOf(resource), metadata: asObject(body.metadata) }
}

/** Gives a new object its name, identity and age. */
export function newObject(resource: Resource, sent: JsonObject, namespace: string): JsonObject {
  const given = asObject(sent.metadata)
  const name = newName(resource, given)
  if (given.namespace !== undefined && given.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  const metadata = {
    ...withoutEmpty(without(without(given, 'managedFields'), 'resourceVersion')),
    name,
    ...(resource.namespaced ? { namespace } : {}),
    uid: randomUUID(),
    creationTimestamp: timestamp(Date.now()),
    ...(resource.generation ? { generation: 1 } : {}),
  }
  const kept = resource.custom && resource.status ? without(sent, 'status') : sent
  return { ...kept, metadata }
}

function newName(resource: Resource, metadata: JsonObject): string {
  const prefix = asText(metadata.generateName)
  const given = asText(metadata.name)
  if (given === '' && prefix === '') {
    const message = 'Required value: name or generateName is required'
    throw invalid(resource, '', [{ reason: 'FieldValueRequired', message, field: 'metadata.name' }])
  }
  const name = given === '' ? prefix + suffix() : given
  const causes: Cause[] = []
  // A prefix such as "n1." gives a valid name, and is refused all the same: only a final "-" is overlooked.
  if (prefix !== '' && !isName(resource, prefix.replace(/-$/, ''))) causes.push(badName('generateName', prefix))
  if (!isName(resource, name)) causes.push(badName('name', name))
  const subject = resource.table === '/events' ? { ...resource, group: '' } : resource
  if (causes.length > 0) throw invalid(subject, name, causes)
  return name
}

function isName(resource: Resource, name: string): boolean {
  return resource.group === 'rbac.authorization.k8s.io' || (subdomain.test(name) && name.length <= 253)
}

function badName(field: string, value: string): Cause {
  const message = `Invalid value: "${value}": ${nameRule}`
  return { reason: 'FieldValueInvalid', message, field: `metadata.${field}` }
}

function suffix(): string {
  return Array.from({ length: 5 }, () => suffixLetters[randomInt(suffixLetters.length)]).join('')
}

/** How an update came about. */
export interface UpdateRequest {
  readonly name: string
  readonly subresource: string
  /** A patch is based on what is stored, so its resource version may be absent. */
  readonly patch: boolean
}

/** What is stored after an update: only what this path may change, with everything else as it was. */
export function updatedObject(
  resource: Resource,
  stored: JsonObject,
  sent: JsonObject,
  how: UpdateRequest,
): JsonObject {
  checkIdentity(resource, stored, sent, how)
  const metadata = keptMetadata(asObject(stored.metadata), asObject(sent.metadata))
  if (how.subresource === 'status') {
    const status = { ...stored, status: sent.status }
    // Labels may ride along with the status of a built-in object, not of a custom one.
    return resource.custom ? status : { ...status, metadata }
  }
  const next = { ...(resource.status ? { ...sent, status: stored.status } : sent), metadata }
  if (!resource.generation || isSame(contentOf(next), contentOf(stored))) return next
  return { ...next, metadata: { ...metadata, generation: Number(metadata.generation ?? 0) + 1 } }
}

function contentOf(object: JsonObject): JsonObject {
  return without(without(object, 'metadata'), 'status')
}

function checkIdentity(resource: Resource, stored: JsonObject, sent: JsonObject, how: UpdateRequest): void {
  const { name, uid, resourceVersion } = asObject(sent.metadata)
  if (asText(name) !== how.name) {
    throw badRequest(`the name of the object (${asText(name)}) does not match the name on the URL (${how.name})`)
  }
  const storedUid = asText(valueAt(stored, 'metadata.uid'))
  if (uid !== undefined && uid !== storedUid) throw otherUid(resource, how, [asText(uid), storedUid])
  const version = asText(resourceVersion)
  if (version === '' && !how.patch && needsVersion(resource)) {
    const message = 'Invalid value: 0: must be specified for an update'
    // The real server names the resource here, not the kind.
    const subject = resource.custom ? { ...resource, kind: resource.plural } : resource
    throw invalid(subject, how.name, [{ reason: 'FieldValueInvalid', message, field: 'metadata.resourceVersion' }])
  }
  if (version !== '' && version !== valueAt(stored, 'metadata.resourceVersion')) throw modified(resource, how.name)
}

function needsVersion(resource: Resource): boolean {
  return resource.custom || resource.plural === 'leases'
}

function otherUid(resource: Resource, how: UpdateRequest, [sent, stored]: readonly [string, string]): Fault {
  if (how.patch) {
    const message = `Invalid value: "${sent}": field is immutable`
    return invalid(resource, how.name, [{ reason: 'FieldValueInvalid', message, field: 'metadata.uid' }])
  }
  const fault = modified(resource, how.name)
  const why = `StorageError: invalid object, Code: 4, Key: ${how.name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${sent}, UID in object meta: ${stored}`
  const message = fault.message.replace(/: the object has been modified.*/, `: ${why}`)
  return new Fault({ code: 409, reason: 'Conflict', message, details: asObject(fault.body.details) })
}

/** What no client can change, whatever it sends. */
const fixed = ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds']
const counted = ['generation', 'resourceVersion', 'generateName']

function keptMetadata(stored: JsonObject, sent: JsonObject): JsonObject {
  const kept = [...fixed, ...counted].filter(key => stored[key] !== undefined).map(key => [key, stored[key]] as const)
  const free = Object.entries(sent).filter(
    ([key, value]) => ![...fixed, ...counted, 'managedFields'].includes(key) && !isEmpty(value),
  )
  return Object.fromEntries([...free, ...kept])
}

function withoutEmpty(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => !isEmpty(value)))
}

/** Empty labels and lists are not kept. */
function isEmpty(value: Json | undefined): boolean {
  if (Array.isArray(value)) return asList(value).length === 0
  return isObject(value) ? Object.keys(value).length === 0 : value === undefined || value === null
}

/** A time as Kubernetes writes it: whole seconds. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
