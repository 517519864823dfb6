import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ApiTarget } from '../../cluster/api-client.ts'
import type { Machine } from '../../machine/machine.ts'
import { applyObject } from './api.ts'
import { images } from './images.ts'
import { net } from './plan.ts'

/** Starts the internet's name server beside the control plane; pods' CoreDNS asks it what it does not know itself. */
export async function startInternetDns(machine: Machine, program: string): Promise<void> {
  const hosts = Object.entries(net.names).map(([name, address]) => `${address} ${name}`)
  const file = join(machine.folder, 'Corefile')
  await writeFile(file, corefile(['hosts {', ...hosts, '}']))
  machine.start({ name: 'internet-dns', argv: [program, '-conf', file] })
}

/** The cluster's own DNS: two servers, one on each node where both are up. */
export async function applyClusterDns(target: ApiTarget): Promise<void> {
  for (const [path, object] of clusterDnsObjects()) await applyObject(target, path, object)
}

const core = '/api/v1/namespaces/kube-system'
const rbac = '/apis/rbac.authorization.k8s.io/v1'
/** The API path of the Deployment. */
export const dnsDeployment = '/apis/apps/v1/namespaces/kube-system/deployments/coredns'

function clusterDnsObjects(): (readonly [string, object])[] {
  const metadata = { name: 'coredns', namespace: 'kube-system' }
  const role = { name: 'system:coredns' }
  return [
    [`${core}/serviceaccounts/coredns`, { apiVersion: 'v1', kind: 'ServiceAccount', metadata }],
    [
      `${rbac}/clusterroles/system:coredns`,
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: role, rules: dnsRules },
    ],
    [
      `${rbac}/clusterrolebindings/system:coredns`,
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: role,
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role.name },
        subjects: [{ kind: 'ServiceAccount', ...metadata }],
      },
    ],
    [
      `${core}/configmaps/coredns`,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { Corefile: clusterCorefile } },
    ],
    [dnsDeployment, { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: deploymentSpec }],
    [
      `${core}/services/kube-dns`,
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'kube-dns', namespace: 'kube-system', labels },
        spec: serviceSpec,
      },
    ],
  ]
}

const dnsRules = [
  { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
]

const clusterCorefile = corefile([
  'health',
  'ready',
  `kubernetes ${net.clusterDomain} in-addr.arpa ip6.arpa {`,
  'pods insecure',
  'fallthrough in-addr.arpa ip6.arpa',
  '}',
  'forward . /etc/resolv.conf',
  'cache 30',
  'loadbalance',
])

const labels = { 'k8s-app': 'kube-dns' }

const serviceSpec = {
  clusterIP: net.dnsService,
  selector: labels,
  ports: [
    { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
    { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
  ],
}

const deploymentSpec = {
  replicas: 1,
  selector: { matchLabels: labels },
  template: {
    metadata: { labels },
    spec: {
      serviceAccountName: 'coredns',
      priorityClassName: 'system-cluster-critical',
      // Its server is the node's own, which is the internet's.
      dnsPolicy: 'Default',
      // It must run before a node is verified: verifying asks it.
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: 'coredns',
          image: images.coredns,
          imagePullPolicy: 'Never',
          args: ['-conf', '/etc/coredns/Corefile'],
          readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
          volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
        },
      ],
      volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
    },
  },
}

function corefile(lines: readonly string[]): string {
  return ['.:53 {', 'errors', ...lines, '}', ''].join('\n')
}
