import { get } from './requests.ts'
import type { ContractCase } from './step.ts'

/** What is there before anybody wrote anything. */
export const seedCases: readonly ContractCase[] = [
  {
    name: 'namespaces default and kube-system',
    steps: () => [
      { send: get('/api/v1/namespaces/default'), code: 200, body: { kind: 'Namespace', status: { phase: 'Active' } } },
      { send: get('/api/v1/namespaces/kube-system'), code: 200 },
    ],
  },
  {
    name: 'Service default/kubernetes has the first address of the range',
    steps: () => [
      {
        send: get('/api/v1/namespaces/default/services/kubernetes'),
        code: 200,
        body: {
          metadata: { labels: { component: 'apiserver', provider: 'kubernetes' } },
          spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', protocol: 'TCP', port: 443 }] },
        },
      },
    ],
  },
  {
    name: 'its EndpointSlice is found by its label',
    steps: () => [
      {
        send: get(
          '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dkubernetes',
        ),
        code: 200,
        body: {
          kind: 'EndpointSliceList',
          items: [
            {
              addressType: 'IPv4',
              endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: true } }],
              ports: [{ name: 'https', protocol: 'TCP', port: Number }],
            },
          ],
        },
      },
    ],
  },
  {
    name: 'its Endpoints',
    steps: () => [
      {
        send: get('/api/v1/namespaces/default/endpoints/kubernetes'),
        code: 200,
        body: { subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ name: 'https', protocol: 'TCP' }] }] },
      },
    ],
  },
  {
    name: 'version and health',
    steps: () => [
      { send: get('/version'), code: 200, body: { major: '1', minor: '35', gitVersion: /^v1\.35\./ } },
      { send: get('/healthz'), code: 200, body: 'ok' },
      { send: get('/readyz'), code: 200, body: 'ok' },
      { send: get('/livez'), code: 200, body: 'ok' },
    ],
  },
]
