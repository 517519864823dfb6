import { field, isJsonObject, type Json, JsonError, type JsonObject, parseJson, printJson } from '../spec/json.ts'
import { isNamespaceName, isObjectName } from './kube-names.ts'
import { namespacesOf } from './namespaces.ts'
import { type NetworkKind, type NetworkRequest, plainRequest } from './request.ts'
import {
  MULTUS_ANNOTATION,
  MULTUS_DEFAULT_ANNOTATION,
  NETWORKS_ANNOTATION,
  selectNetworks,
  withWishes,
} from './selection.ts'

/**
 * What kactus and the agent say to each other over the agent's UNIX socket: kactus writes one line, the agent answers
 * one line and ends the connection. The socket is 0600 in a folder of 0700.
 */
const LOOKUP_VERSION = 1
export const MAX_QUESTION_BYTES = 16 * 1024
export const MAX_ANSWER_BYTES = 3 * 1024 * 1024

/** What kactus asks before an ADD. */
export interface LookupQuestion {
  readonly namespace: string
  readonly pod: string
  /** One network to attach to the running pod; undefined = all that its annotations ask for. */
  readonly network: WantedNetwork | undefined
}

export interface WantedNetwork {
  readonly kind: NetworkKind
  readonly name: string
  readonly namespace: string | undefined
}

/** What was found: objects as the API has them, cut down to what an ADD reads. */
export interface LookupAnswer {
  readonly pod: PodFacts
  /** Every object that a requested network may mean. */
  readonly networks: readonly FoundNetwork[]
}

export interface FoundNetwork {
  readonly kind: NetworkKind
  readonly object: Json
}

export interface PodFacts {
  readonly uid: string
  readonly annotations: Readonly<Record<string, string>>
}

/** What the agent holds in memory. `undefined` = not there, or not known yet. */
export interface LookupCache {
  pod(namespace: string, name: string): PodFacts | undefined
  network(kind: NetworkKind, namespace: string, name: string): Json | undefined
}

export function printQuestion(question: LookupQuestion): string {
  const { namespace, pod, network } = question
  const wanted = network === undefined ? null : { ...network, namespace: network.namespace ?? null }
  return `${printJson({ nopal: LOOKUP_VERSION, namespace, pod, network: wanted })}\n`
}

/** Reads a question; undefined = it is none, or of another version. */
export function parseQuestion(text: string): LookupQuestion | undefined {
  const document = parseLine(text)
  if (document === undefined) return undefined
  const namespace = field(document, 'namespace')
  const pod = field(document, 'pod')
  if (!isNamespaceName(namespace) || !isObjectName(pod)) return undefined
  const network = field(document, 'network') ?? null
  if (network === null) return { namespace, pod, network: undefined }
  const wanted = wantedOf(network)
  return wanted === undefined ? undefined : { namespace, pod, network: wanted }
}

/** Prints an answer; undefined = the agent does not know, kactus shall ask the API. */
export function printAnswer(answer: LookupAnswer | undefined): string {
  if (answer === undefined) return `${printJson({ nopal: LOOKUP_VERSION, known: false })}\n`
  const networks = answer.networks.map(({ kind, object }) => ({ kind, object }))
  const pod = { uid: answer.pod.uid, annotations: { ...answer.pod.annotations } }
  return `${printJson({ nopal: LOOKUP_VERSION, known: true, pod, networks })}\n`
}

/** Reads an answer; undefined = the agent does not know, or what it said cannot be used. */
export function parseAnswer(text: string): LookupAnswer | undefined {
  const document = parseLine(text)
  if (document === undefined || field(document, 'known') !== true) return undefined
  const pod = podFactsFrom(field(document, 'pod'))
  const networks = field(document, 'networks')
  if (pod === undefined || !Array.isArray(networks)) return undefined
  const found = (networks as readonly Json[]).map(foundOf)
  return found.every(entry => entry !== undefined) ? { pod, networks: found } : undefined
}

/** The agent's side: answers one question from what it has in memory. */
export function answerFrom(cache: LookupCache, question: LookupQuestion): LookupAnswer | undefined {
  const pod = cache.pod(question.namespace, question.pod)
  if (pod === undefined) return undefined
  const requests = requestsOf(question, pod)
  if (requests === undefined) return { pod: relevant(pod), networks: [] }
  const networks = requests.flatMap(request =>
    namespacesOf(request, question.namespace).flatMap(namespace => {
      const object = cache.network(request.kind, namespace, request.name)
      return object === undefined ? [] : [{ kind: request.kind, object }]
    }),
  )
  return { pod: relevant(pod), networks }
}

/** What a pod's object says of itself; `undefined` = it is no such object. */
export function podFactsFrom(value: Json | undefined): PodFacts | undefined {
  if (value === undefined || !isJsonObject(value)) return undefined
  const uid = field(value, 'uid')
  const annotations = field(value, 'annotations') ?? {}
  if (typeof uid !== 'string' || !isJsonObject(annotations)) return undefined
  const texts = Object.entries(annotations).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return { uid, annotations: Object.fromEntries(texts) }
}

const MIRROR_ANNOTATIONS = ['kubernetes.io/config.mirror', 'kubernetes.io/config.hash']
const RELEVANT = [NETWORKS_ANNOTATION, MULTUS_ANNOTATION, MULTUS_DEFAULT_ANNOTATION, ...MIRROR_ANNOTATIONS]

function relevant(pod: PodFacts): PodFacts {
  const annotations = Object.entries(pod.annotations).filter(([key]) => RELEVANT.includes(key))
  return { uid: pod.uid, annotations: Object.fromEntries(annotations) }
}

/** undefined = the annotation is bad; kactus will find the same and say so to the runtime. */
function requestsOf(question: LookupQuestion, pod: PodFacts): readonly NetworkRequest[] | undefined {
  const { network } = question
  if (network !== undefined) {
    return [withWishes(plainRequest(network.kind, network.name, network.namespace), pod.annotations)]
  }
  try {
    return selectNetworks(pod.annotations)
  } catch {
    return undefined
  }
}

function wantedOf(value: Json): WantedNetwork | undefined {
  if (!isJsonObject(value)) return undefined
  const kind = kindOf(field(value, 'kind'))
  const name = field(value, 'name')
  const namespace = field(value, 'namespace') ?? undefined
  if (kind === undefined || !isObjectName(name)) return undefined
  if (namespace !== undefined && !isNamespaceName(namespace)) return undefined
  return { kind, name, namespace }
}

function foundOf(value: Json): FoundNetwork | undefined {
  if (!isJsonObject(value)) return undefined
  const kind = kindOf(field(value, 'kind'))
  const object = field(value, 'object')
  return kind === undefined || object === undefined ? undefined : { kind, object }
}

function kindOf(value: Json | undefined): NetworkKind | undefined {
  return value === 'Network' || value === 'NetworkAttachmentDefinition' ? value : undefined
}

function parseLine(text: string): JsonObject | undefined {
  try {
    const document = parseJson(text)
    return isJsonObject(document) && field(document, 'nopal') === LOOKUP_VERSION ? document : undefined
  } catch (error) {
    if (error instanceof JsonError) return undefined
    throw error
  }
}
