import { anonymous, type Tokens, type User } from './auth.ts'
import { findResource } from './catalog.ts'
import type { DefaultsContext } from './defaults.ts'
import { badRequest, forbidden, methodNotAllowed, noSuchResource, qualified, unsupportedBody } from './fault.ts'
import type { JsonObject } from './json.ts'
import { listObjects } from './list.ts'
import type { RequestInfo, Target } from './request.ts'
import type { Resource } from './resources.ts'
import { requestToken, reviewAccess, reviewSelf } from './reviews.ts'
import type { Store } from './store.ts'
import { createObject, deleteObject, getObject, type Place, patchObject, type Reply, replaceObject } from './verbs.ts'
import { prepareWatch, type WatchSink } from './watch.ts'

/** The server's parts. */
export interface Server {
  readonly store: Store
  readonly tokens: Tokens
  readonly defaults: DefaultsContext
}

/** A request with its body, after the user is known. */
export interface Request {
  readonly info: RequestInfo
  readonly user: User
  readonly contentType: string
  readonly text: string
}

/** What to send: an object, a text, or a watch that writes for a while. */
export type Answer =
  | { readonly kind: 'object'; readonly code: number; readonly body: JsonObject }
  | { readonly kind: 'text'; readonly code: number; readonly text: string }
  | { readonly kind: 'watch'; readonly start: (sink: WatchSink) => () => void }

const version: JsonObject = {
  major: '1',
  minor: '35',
  gitVersion: 'v1.35.4',
  gitCommit: 'embedded',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'linux/amd64',
}
const nowhere: Answer = { kind: 'text', code: 404, text: '404 page not found\n' }
const healthPaths = ['/healthz', '/readyz', '/livez']

/** Answers a request; throws a Fault for what is refused. */
export function dispatch(server: Server, request: Request): Answer {
  const { info, user } = request
  const open = info.path === '/version' || healthPaths.includes(info.path)
  if (user === anonymous && !open) throw refusal(info, user)
  if (info.path === '/version') return { kind: 'object', code: 200, body: version }
  if (healthPaths.includes(info.path)) return { kind: 'text', code: 200, text: 'ok' }
  if (info.target === undefined) return nowhere
  return toTarget(server, request, info.target)
}

function toTarget(server: Server, request: Request, target: Target): Answer {
  const review = answerReview(request, target)
  if (review !== undefined) return { kind: 'object', ...review }
  const resource = findResource(server.store, target)
  if (resource === 'no group') return nowhere
  if (resource === undefined || !isPlace(resource, target)) throw noSuchResource()
  const { store, defaults } = server
  const place = { store, resource, target, defaults, dryRun: request.info.query.get('dryRun') === 'All' }
  const scope = { resource, namespace: target.namespace, query: request.info.query }
  if (request.info.verb === 'watch') return { kind: 'watch', start: prepareWatch(store, scope) }
  if (request.info.verb === 'list') return { kind: 'object', code: 200, body: listObjects(store, scope) }
  return { kind: 'object', ...changeOrGet(server, request, place) }
}

function answerReview(request: Request, target: Target): Reply | undefined {
  if (request.info.verb !== 'create') return undefined
  const what = `${target.group}/${target.version}/${target.plural}`
  if (what === 'authentication.k8s.io/v1/selfsubjectreviews') return reviewSelf(request.user)
  if (what === 'authorization.k8s.io/v1/selfsubjectaccessreviews') return reviewAccess(jsonBody(request))
  return undefined
}

/** True if the path fits the resource: its namespace, its subresource. */
function isPlace(resource: Resource, target: Target): boolean {
  if (target.namespace !== '' && !resource.namespaced) return false
  // Across all namespaces there are only lists.
  if (target.namespace === '' && resource.namespaced && target.name !== '') return false
  if (target.subresource === '') return true
  if (target.subresource === 'token') return resource.table === '/serviceaccounts'
  return target.subresource === 'status' && resource.status
}

function changeOrGet(server: Server, request: Request, place: Place): Reply {
  const { resource, target } = place
  if (target.subresource === 'token') {
    if (request.info.verb !== 'create') throw methodNotAllowed()
    return requestToken(place, server.tokens, jsonBody(request))
  }
  const act = actions[request.info.verb]
  if (act === undefined) throw methodNotAllowed()
  if (request.info.verb === 'create' && resource.namespaced && target.namespace === '') throw methodNotAllowed()
  if (request.info.verb !== 'create' && target.name === '') throw badRequest('name must be provided')
  return act(place, request)
}

type Act = (place: Place, request: Request) => Reply

const actions: Readonly<Record<string, Act>> = {
  get: place => getObject(place),
  create: (place, request) => createObject(place, jsonBody(request)),
  update: (place, request) => replaceObject(place, jsonBody(request)),
  patch: (place, request) => patchObject(place, { contentType: request.contentType, text: request.text }),
  delete: (place, request) =>
    deleteObject(place, request.text === '' ? optionsIn(request.info.query) : jsonBody(request)),
}

/** Options of a DELETE without a body. */
function optionsIn(query: URLSearchParams): JsonObject {
  const seconds = query.get('gracePeriodSeconds')
  return seconds === null ? {} : { gracePeriodSeconds: Number(seconds) }
}

function jsonBody(request: Request): unknown {
  if (request.contentType !== 'application/json') {
    throw unsupportedBody(['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'])
  }
  try {
    return JSON.parse(request.text)
  } catch {
    throw badRequest("the object provided is unrecognized: couldn't get version/kind; json parse error")
  }
}

/** What the anonymous user is told. */
function refusal(info: RequestInfo, user: User): Error {
  const { target, verb } = info
  if (target === undefined) {
    const message = `forbidden: User "${user.username}" cannot ${verb} path "${info.path}"`
    return forbidden(message, {})
  }
  const plural = target.subresource === '' ? target.plural : `${target.plural}/${target.subresource}`
  const where = target.namespace === '' ? 'at the cluster scope' : `in the namespace "${target.namespace}"`
  const what = `cannot ${verb} resource "${plural}" in API group "${target.group}" ${where}`
  const subject = { group: target.group, plural: target.plural, kind: '' }
  const named = target.name === '' ? qualified(subject) : `${qualified(subject)} "${target.name}"`
  return forbidden(`${named} is forbidden: User "${user.username}" ${what}`, {
    ...(target.name === '' ? {} : { name: target.name }),
    ...(target.group === '' ? {} : { group: target.group }),
    kind: target.plural,
  })
}
