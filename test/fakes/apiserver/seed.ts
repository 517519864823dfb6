import { randomUUID } from 'node:crypto'
import type { DefaultsContext } from './defaults.ts'
import { fillDefaults } from './defaults.ts'
import { asObject, type JsonObject } from './json.ts'
import { timestamp } from './object.ts'
import { builtIn } from './resources.ts'
import type { Store } from './store.ts'

/** Where the server says it can be reached. */
export interface SeedConfig {
  readonly serviceAddress: string
  readonly advertised: string
  readonly port: number
}

/** Puts what every real cluster has from its first second. */
export function seed(store: Store, defaults: DefaultsContext, config: SeedConfig): void {
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system']) {
    put(store, defaults, '/namespaces', { metadata: { name } })
  }
  const port = { name: 'https', protocol: 'TCP', port: config.port }
  put(store, defaults, '/services', {
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { component: 'apiserver', provider: 'kubernetes' },
    },
    spec: {
      clusterIP: config.serviceAddress,
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: config.port }],
    },
  })
  put(store, defaults, '/endpoints', {
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
    },
    subsets: [{ addresses: [{ ip: config.advertised }], ports: [port] }],
  })
  put(store, defaults, 'discovery.k8s.io/endpointslices', {
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': 'kubernetes' },
      generation: 1,
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [config.advertised], conditions: { ready: true } }],
    ports: [port],
  })
}

function put(store: Store, defaults: DefaultsContext, table: string, object: JsonObject): void {
  const resource = builtIn.find(one => one.table === table)
  if (resource === undefined) throw new Error(`no resource keeps its objects in ${table}`)
  const given = asObject(object.metadata)
  const metadata = { ...given, uid: randomUUID(), creationTimestamp: timestamp(Date.now()) }
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`
  const filled = fillDefaults(resource, { kind: resource.kind, apiVersion, ...object, metadata }, defaults)
  const key = resource.namespaced ? `${given.namespace}/${given.name}` : String(given.name)
  store.put(table, key, filled)
}
