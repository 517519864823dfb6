import { createHash } from 'node:crypto'
import { formatHostPort } from '../../cni/host/host-port.ts'
import type { Settings } from '../config/settings.ts'
import type { KubeNode } from '../kube/node.ts'
import { workerApp, workerContainer, workerLabels } from './worker.ts'

/** What all worker pods of a leader have in common. */
export interface WorkerTemplate {
  readonly namespace: string
  readonly image: string
  readonly settings: Pick<Settings, 'agent' | 'podNamespace' | 'verify'>
}

/** Which of a node's pods. */
export interface Attempt {
  readonly attempt: number
  readonly failures: number
}

/** The account of worker pods, in their own namespace. */
const account = 'nopal-worker'

/**
 * A worker says itself that it could not finish, which counts as a failing network; kubelet's end of it never does. So
 * kubelet's comes later.
 */
const marginSeconds = 60

/** Milliseconds after which kubelet has ended a worker pod, or kubelet is not there. */
export function workerLimitMs({ verify }: WorkerTemplate['settings']): number {
  return (limitSeconds(verify.initialTimeoutMs) + marginSeconds) * 1000
}

function limitSeconds(initialTimeoutMs: number): number {
  return Math.ceil(initialTimeoutMs / 1000) + marginSeconds
}

/**
 * The same name for the same attempt at the same Node: of two leaders that begin it at once one is refused. A Node's name
 * may be longer than a label of DNS, which the host name of a pod is.
 */
export function workerName(node: Pick<KubeNode, 'name' | 'uid'>, attempt: number): string {
  const readable = node.name.slice(0, 30).replaceAll('.', '-').replace(/-+$/, '')
  const unique = createHash('sha256').update(node.uid).digest('hex').slice(0, 10)
  return `verify-${readable}-${unique}-${attempt}`
}

/** The pod that verifies a node from inside its pod network, and says what it found by its exit code. */
export function workerPod(node: KubeNode, { attempt, failures }: Attempt, template: WorkerTemplate): object {
  const { namespace, image, settings } = template
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: workerName(node, attempt),
      namespace,
      labels: {
        [workerLabels.name]: workerApp,
        'app.kubernetes.io/part-of': 'nopal',
        [workerLabels.nodeUid]: node.uid,
        [workerLabels.attempt]: String(attempt),
        [workerLabels.failures]: String(failures),
      },
      // It goes with its Node, also where no leader is left to see to it.
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node.name, uid: node.uid }],
    },
    spec: {
      // Not by the label kubernetes.io/hostname, which need not be the node's name; and no scheduler has to agree.
      nodeName: node.name,
      tolerations: [{ operator: 'Exists' }],
      restartPolicy: 'Never',
      activeDeadlineSeconds: limitSeconds(settings.verify.initialTimeoutMs),
      terminationGracePeriodSeconds: 5,
      serviceAccountName: account,
      automountServiceAccountToken: true,
      // Services would set variables that begin with NOPAL_, and those are settings.
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65_532,
        runAsGroup: 65_532,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [workerContainerOf(node.name, image, settings)],
    },
  }
}

function workerContainerOf(node: string, image: string, settings: WorkerTemplate['settings']): object {
  return {
    name: workerContainer,
    image,
    imagePullPolicy: 'IfNotPresent',
    args: ['verify', '--from', 'worker', '--output', 'text'],
    env: Object.entries(workerEnvironment(node, settings))
      .filter(([, value]) => value !== '')
      .map(([name, value]) => ({ name, value })),
    // What it found, in its own words, without a right to read logs.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '256Mi' } },
    securityContext: {
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      privileged: false,
      capabilities: { drop: ['ALL'] },
    },
  }
}

/** The leader's own settings, as far as the checks of a worker depend on them: it has no file to read. */
function workerEnvironment(
  node: string,
  { agent, podNamespace, verify }: WorkerTemplate['settings'],
): Readonly<Record<string, string>> {
  return {
    NODE_NAME: node,
    // Where the agents are that it asks.
    POD_NAMESPACE: podNamespace,
    NOPAL_AGENT_LISTEN: formatHostPort(agent.listen.host, String(agent.listen.port)),
    NOPAL_VERIFY_DNS_DOMAINS: verify.dnsDomains.join(','),
    NOPAL_VERIFY_CHECK_TIMEOUT: `${verify.checkTimeoutMs}ms`,
    NOPAL_VERIFY_INITIAL_TIMEOUT: `${verify.initialTimeoutMs}ms`,
    NOPAL_VERIFY_TCP: verify.tcp.map(({ host, port }) => formatHostPort(host, String(port))).join(','),
    NOPAL_VERIFY_PEERS: String(verify.peers),
    NOPAL_VERIFY_IP_FAMILIES: verify.ipFamilies,
  }
}
