import type { Tokens, User } from './auth.ts'
import { invalid, methodNotAllowed, notFound } from './fault.ts'
import { asList, asObject, asText, isObject, type JsonObject, valueAt } from './json.ts'
import { timestamp } from './object.ts'
import type { Resource } from './resources.ts'
import type { Store } from './store.ts'
import type { Place, Reply } from './verbs.ts'

/** Answers the question "who am I". */
export function reviewSelf(user: User): Reply {
  const userInfo: JsonObject = {
    username: user.username,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    groups: user.groups,
    ...(user.extra === undefined ? {} : { extra: user.extra }),
  }
  return {
    code: 201,
    body: {
      kind: 'SelfSubjectReview',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { creationTimestamp: timestamp(Date.now()) },
      status: { userInfo },
    },
  }
}

/** Answers the question "may I": everybody who proved who they are may do everything here. */
export function reviewAccess(body: unknown): Reply {
  const spec = isObject(body) ? asObject(body.spec) : {}
  return {
    code: 201,
    body: {
      kind: 'SelfSubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      metadata: {},
      spec,
      status: { allowed: true },
    },
  }
}

const shortestSeconds = 600
const usualSeconds = 3600

/** Makes a token for a service account: POST .../serviceaccounts/NAME/token. */
export function requestToken(place: Place, tokens: Tokens, body: unknown): Reply {
  const { store, resource, target } = place
  if (resource.table !== '/serviceaccounts') throw methodNotAllowed()
  const account = store.get(resource.table, `${target.namespace}/${target.name}`)
  if (account === undefined) throw notFound(resource, target.name)
  const spec = isObject(body) ? asObject(body.spec) : {}
  const expirationSeconds = lifetime(spec.expirationSeconds)
  const given = asList(spec.audiences).map(asText)
  const audiences = given.length > 0 ? given : ['https://kubernetes.default.svc']
  const bound = boundClaims(store, target.namespace, asObject(spec.boundObjectRef))
  const now = Date.now()
  const token = tokens.issue({ namespace: target.namespace, account, audiences, expirationSeconds, bound }, now)
  const metadata = asObject(account.metadata)
  return {
    code: 201,
    body: {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name: metadata.name, namespace: metadata.namespace, creationTimestamp: timestamp(now) },
      spec: { audiences, expirationSeconds, boundObjectRef: spec.boundObjectRef ?? null },
      status: { token, expirationTimestamp: timestamp(now + expirationSeconds * 1000) },
    },
  }
}

const subject = { group: 'authentication.k8s.io', plural: 'tokenrequests', kind: 'TokenRequest' }

function lifetime(asked: unknown): number {
  if (typeof asked !== 'number') return usualSeconds
  if (asked >= shortestSeconds) return asked
  const message = `Invalid value: ${asked}: may not specify a duration less than 10 minutes`
  throw invalid(subject, '', [{ reason: 'FieldValueInvalid', message, field: 'spec.expirationSeconds' }])
}

/** A token may be bound to a pod, and then also names that pod's node, or to a node. */
function boundClaims(store: Store, namespace: string, reference: JsonObject): JsonObject {
  const kind = asText(reference.kind)
  const name = asText(reference.name)
  if (kind === 'Node') return { node: refTo(store, '/nodes', name) }
  if (kind !== 'Pod') return {}
  const pod = store.get('/pods', `${namespace}/${name}`)
  const node = asText(pod === undefined ? '' : valueAt(pod, 'spec.nodeName'))
  const onNode = node === '' ? {} : { node: refTo(store, '/nodes', node) }
  return { pod: refTo(store, '/pods', `${namespace}/${name}`), ...onNode }
}

function refTo(store: Store, table: string, key: string): JsonObject {
  const object = store.get(table, key)
  const name = key.split('/').at(-1) ?? ''
  if (object === undefined) throw notFound(subjectOf(table), name)
  return { name, uid: valueAt(object, 'metadata.uid') }
}

function subjectOf(table: string): Pick<Resource, 'group' | 'plural' | 'kind'> {
  const plural = table.slice(1)
  return { group: '', plural, kind: plural }
}
