import type { Subject } from './fault.ts'
import type { MergeKeys } from './merge-patch.ts'

/** One resource: what it is called, where it lives, and how it differs from the others. */
export interface Resource extends Subject {
  readonly version: string
  readonly namespaced: boolean
  /** Has `/status`, which alone writes `status`. */
  readonly status: boolean
  /** A custom resource: defined by a CustomResourceDefinition, and a bit stricter than the built-in ones. */
  readonly custom: boolean
  /** Where its objects are kept; the two kinds of events share one table. */
  readonly table: string
  /** What can be asked for in a field selector. */
  readonly fields: readonly string[]
  readonly mergeKeys: MergeKeys
  /** `metadata.generation` counts the changes of `spec`. */
  readonly generation: boolean
}

const metadataKeys: MergeKeys = { 'metadata.ownerReferences': 'uid', 'metadata.finalizers': '' }
const nodeKeys: MergeKeys = { 'status.conditions': 'type', 'status.addresses': 'type' }
const podKeys: MergeKeys = {
  'status.conditions': 'type',
  'status.podIPs': 'ip',
  'spec.containers': 'name',
  'spec.containers.env': 'name',
  'spec.initContainers': 'name',
  'spec.volumes': 'name',
}

const podFields = ['spec.nodeName', 'spec.serviceAccountName', 'spec.restartPolicy', 'status.phase', 'status.podIP']
const eventFields = [
  ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion'].map(key => `involvedObject.${key}`),
  'reason',
  'type',
  'reportingComponent',
]

type Row = Pick<Resource, 'plural' | 'kind'> & Partial<Resource>

const core: readonly Row[] = [
  {
    plural: 'nodes',
    kind: 'Node',
    namespaced: false,
    status: true,
    fields: ['spec.unschedulable'],
    mergeKeys: nodeKeys,
  },
  { plural: 'namespaces', kind: 'Namespace', namespaced: false, status: true, fields: ['status.phase'] },
  { plural: 'pods', kind: 'Pod', status: true, fields: podFields, mergeKeys: podKeys, generation: true },
  { plural: 'services', kind: 'Service', status: true, mergeKeys: { 'spec.ports': 'port' } },
  { plural: 'endpoints', kind: 'Endpoints' },
  { plural: 'events', kind: 'Event', fields: eventFields },
  { plural: 'serviceaccounts', kind: 'ServiceAccount' },
  { plural: 'configmaps', kind: 'ConfigMap' },
  { plural: 'secrets', kind: 'Secret' },
]

const grouped: Readonly<Record<string, readonly Row[]>> = {
  'discovery.k8s.io/v1': [{ plural: 'endpointslices', kind: 'EndpointSlice', generation: true }],
  'events.k8s.io/v1': [{ plural: 'events', kind: 'Event', table: '/events', fields: eventFields }],
  'coordination.k8s.io/v1': [{ plural: 'leases', kind: 'Lease' }],
  'apps/v1': [{ plural: 'daemonsets', kind: 'DaemonSet', status: true, generation: true }],
  // Kept, so that the product's manifests can be sent as they are; nothing here enforces them.
  'rbac.authorization.k8s.io/v1': [
    { plural: 'clusterroles', kind: 'ClusterRole', namespaced: false },
    { plural: 'clusterrolebindings', kind: 'ClusterRoleBinding', namespaced: false },
    { plural: 'roles', kind: 'Role' },
    { plural: 'rolebindings', kind: 'RoleBinding' },
  ],
  'apiextensions.k8s.io/v1': [
    { plural: 'customresourcedefinitions', kind: 'CustomResourceDefinition', namespaced: false, generation: true },
  ],
}

/** Every resource that is there from the start. */
export const builtIn: readonly Resource[] = [
  ...core.map(row => toResource(row, '', 'v1')),
  ...Object.entries(grouped).flatMap(([groupVersion, rows]) => {
    const [group = '', version = ''] = groupVersion.split('/')
    return rows.map(row => toResource(row, group, version))
  }),
]

/** Completes a row of a table. */
export function toResource(row: Row, group: string, version: string): Resource {
  const namespaced = row.namespaced ?? true
  return {
    group,
    version,
    namespaced,
    status: false,
    custom: false,
    table: `${group}/${row.plural}`,
    generation: false,
    ...row,
    fields: ['metadata.name', ...(namespaced ? ['metadata.namespace'] : []), ...(row.fields ?? [])],
    mergeKeys: { ...metadataKeys, ...row.mergeKeys },
  }
}

/** `v1` or `kaloom.com/v1`. */
export function apiVersionOf(resource: Pick<Resource, 'group' | 'version'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`
}
