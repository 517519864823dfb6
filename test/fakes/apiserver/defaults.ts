import { type Cause, invalid } from './fault.ts'
import { asList, asObject, asText, isObject, type Json, type JsonObject, valueAt } from './json.ts'
import type { Resource } from './resources.ts'

/** What defaults need to know of the rest. */
export interface DefaultsContext {
  /** A free address of the service range. */
  allocateAddress(): string
}

type Fill = (object: JsonObject, context: DefaultsContext) => JsonObject

/** What the real server adds to a new object, as far as anything here looks at it. */
const fills: Readonly<Record<string, Fill>> = {
  '/nodes': fillNode,
  '/namespaces': fillNamespace,
  '/pods': fillPod,
  '/services': fillService,
  '/events': fillEvent,
  'apiextensions.k8s.io/customresourcedefinitions': fillDefinition,
}

type Shape = (object: JsonObject) => JsonObject

/** What the real server makes of every object of a kind, whoever writes it. */
const shapes: Readonly<Record<string, Shape>> = {
  '/nodes': shapeNode,
  '/pods': shapePod,
}

type Check = (object: JsonObject) => readonly Cause[]

/** What the real server refuses, as far as nopal can get it wrong. */
const checks: Readonly<Record<string, Check>> = {
  '/nodes': checkTaints,
  'events.k8s.io/events': checkEvent,
}

export function fillDefaults(resource: Resource, object: JsonObject, context: DefaultsContext): JsonObject {
  return fills[resource.table]?.(object, context) ?? object
}

/** An object as it is stored after any write. */
export function shapeObject(resource: Resource, object: JsonObject): JsonObject {
  return shapes[resource.table]?.(object) ?? object
}

/** Throws 422 with all that is wrong. */
export function checkObject(resource: Resource, object: JsonObject): void {
  const causes = checks[`${resource.group}/${resource.plural}`]?.(object) ?? []
  // Both kinds of events are core events to the one who checks them.
  const subject = resource.table === '/events' ? { ...resource, group: '' } : resource
  if (causes.length > 0) throw invalid(subject, asText(valueAt(object, 'metadata.name')), causes)
}

/** A new node is not ready until its kubelet says so, and carries the taint that says it. */
function fillNode(object: JsonObject): JsonObject {
  const spec = asObject(object.spec)
  const taints = asList(spec.taints)
  const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }
  const has = taints.some(taint => asObject(taint).key === notReady.key && asObject(taint).effect === 'NoSchedule')
  return { ...object, spec: { ...spec, taints: has ? taints : [...taints, notReady] } }
}

function fillNamespace(object: JsonObject): JsonObject {
  const metadata = asObject(object.metadata)
  const labels = { ...asObject(metadata.labels), 'kubernetes.io/metadata.name': asText(metadata.name) }
  return {
    ...object,
    metadata: { ...metadata, labels },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }
}

function fillPod(object: JsonObject): JsonObject {
  const defaults = {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    serviceAccountName: 'default',
    schedulerName: 'default-scheduler',
  }
  return {
    ...object,
    spec: { ...defaults, ...asObject(object.spec) },
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  }
}

function fillService(object: JsonObject, context: DefaultsContext): JsonObject {
  const spec = asObject(object.spec)
  const clusterIP = asText(spec.clusterIP) || context.allocateAddress()
  const ports = asList(spec.ports).map(port => {
    const given = asObject(port)
    return { protocol: 'TCP', targetPort: given.port, ...given }
  })
  const defaults = { clusterIP, clusterIPs: [clusterIP], type: 'ClusterIP', sessionAffinity: 'None' }
  return { ...object, spec: { ...defaults, ...spec, ports }, status: { loadBalancer: {} } }
}

function fillDefinition(object: JsonObject): JsonObject {
  const conditions = ['NamesAccepted', 'Established'].map(type => ({ type, status: 'True', reason: 'Embedded' }))
  return { ...object, status: { conditions, acceptedNames: valueAt(object, 'spec.names') ?? {} } }
}

/** Times that were not told are null, not absent. */
function fillEvent(object: JsonObject): JsonObject {
  const absent = { eventTime: null, firstTimestamp: null, lastTimestamp: null, source: {} }
  return { ...absent, reportingComponent: '', reportingInstance: '', ...object }
}

const nodeSpecFields = ['podCIDR', 'podCIDRs', 'providerID', 'unschedulable', 'taints', 'configSource', 'externalID']
const nodeInfoFields = ['machineID', 'systemUUID', 'bootID', 'kernelVersion', 'osImage', 'containerRuntimeVersion']
const moreNodeInfoFields = ['kubeletVersion', 'kubeProxyVersion', 'operatingSystem', 'architecture']

function shapeNode(object: JsonObject): JsonObject {
  const known = Object.entries(asObject(object.spec)).filter(([key]) => nodeSpecFields.includes(key))
  // An empty list is the same as none.
  const spec = known.filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))
  const status = asObject(object.status)
  const untold = Object.fromEntries([...nodeInfoFields, ...moreNodeInfoFields].map(key => [key, '']))
  const conditions = asList(status.conditions).map(condition => ({
    lastHeartbeatTime: null,
    lastTransitionTime: null,
    ...asObject(condition),
  }))
  return {
    ...object,
    spec: Object.fromEntries(spec),
    status: {
      daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
      ...status,
      ...(conditions.length > 0 ? { conditions } : {}),
      nodeInfo: { ...untold, ...asObject(status.nodeInfo) },
    },
  }
}

/** One address stands for the list of them. */
function shapePod(object: JsonObject): JsonObject {
  const status = asObject(object.status)
  if (asText(status.podIP) === '' || status.podIPs !== undefined) return object
  return { ...object, status: { ...status, podIPs: [{ ip: asText(status.podIP) }] } }
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

function checkTaints(node: JsonObject): Cause[] {
  const taints = asList(valueAt(node, 'spec.taints'))
  return taints.flatMap((taint, index) => checkTaint(taint, `metadata.taints[${index}]`, taints.slice(0, index)))
}

function checkTaint(taint: Json, field: string, earlier: readonly Json[]): Cause[] {
  const { key, effect } = asObject(taint)
  if (asText(effect) === '')
    return [{ reason: 'FieldValueRequired', message: 'Required value', field: `${field}.effect` }]
  if (!effects.includes(asText(effect))) {
    const supported = 'supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"'
    const message = `Unsupported value: "${asText(effect)}": ${supported}`
    return [{ reason: 'FieldValueNotSupported', message, field: `${field}.effect` }]
  }
  const twice = earlier.some(other => isObject(other) && other.key === key && other.effect === effect)
  if (!twice) return []
  return [
    { reason: 'FieldValueInvalid', message: 'Duplicate value: taints must be unique by key and effect pair', field },
  ]
}

const eventNeeds = ['reportingController', 'reportingInstance', 'action', 'reason']

/** Events of the newer kind must say who reports what; those of the older kind may leave it out. */
function checkEvent(event: JsonObject): Cause[] {
  const absent = eventNeeds.filter(field => asText(event[field]) === '')
  const time: string[] = event.eventTime === undefined || event.eventTime === null ? ['eventTime'] : []
  const wrongType = ['Normal', 'Warning'].includes(asText(event.type)) ? [] : ['type']
  return [
    ...[...time, ...absent].map(field => ({ reason: 'FieldValueRequired', message: 'Required value', field }) as const),
    ...wrongType.map(field => ({ reason: 'FieldValueInvalid', message: 'Invalid value: ""', field }) as const),
  ]
}
