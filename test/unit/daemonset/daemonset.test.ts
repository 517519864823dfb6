import { join } from 'node:path'
import t from 'tap'
import { installPaths } from '../../../agent/install/paths.ts'
import { sandboxPaths } from '../../../agent/sandbox/paths.ts'
import { engineEnvironment } from '../../lab/agent.ts'
import { load } from '../agent/config/given.ts'
import { readObjects, readText, readYaml } from './manifests.ts'

interface Probe {
  readonly httpGet: { readonly host: string; readonly path: string; readonly port: number }
}

interface Container {
  readonly name: string
  readonly image: string
  readonly args: readonly string[]
  readonly env: readonly {
    readonly name: string
    readonly value?: string
    readonly valueFrom?: { readonly fieldRef: { fieldPath: string } }
  }[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number; readonly protocol?: string }[]
  readonly startupProbe: Probe
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
  readonly resources: {
    readonly requests: Readonly<Record<string, string>>
    readonly limits: Readonly<Record<string, string>>
  }
  readonly volumeMounts: readonly {
    readonly name: string
    readonly mountPath: string
    readonly readOnly?: boolean
    readonly mountPropagation?: string
  }[]
  readonly securityContext: {
    readonly privileged?: boolean
    readonly allowPrivilegeEscalation: boolean
    readonly readOnlyRootFilesystem: boolean
    readonly capabilities: { readonly drop: readonly string[]; readonly add?: readonly string[] }
  }
}

interface PodSpec {
  readonly serviceAccountName: string
  readonly priorityClassName: string
  readonly securityContext: { readonly seccompProfile: { readonly type: string } }
  readonly hostNetwork: boolean
  readonly hostPID: boolean
  readonly dnsPolicy: string
  readonly tolerations: readonly object[]
  readonly containers: readonly [Container]
  readonly volumes: readonly {
    readonly name: string
    readonly hostPath?: { readonly path: string }
    readonly configMap?: { readonly name: string }
  }[]
}

interface DaemonSetSpec {
  readonly selector: { readonly matchLabels: object }
  readonly updateStrategy: { readonly rollingUpdate: { readonly maxUnavailable: string } }
  readonly template: { readonly metadata: { readonly labels: object }; readonly spec: PodSpec }
}

const objects = readObjects()
const found = objects.find(object => object.kind === 'DaemonSet')
const spec = found?.spec as DaemonSetSpec
const pod = spec.template.spec
const [container] = pod.containers

const { settings, warnings } = load({
  env: Object.fromEntries(container.env.map(({ name }) => [name, 'n1'])),
  ini: readText('nopal.ini'),
})

/** The host's folder behind a path in the container. */
function hostFolder(path: string): { readonly path: string; readonly writable: boolean } | undefined {
  const inside = container.volumeMounts
    .filter(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`))
    .sort((one, other) => other.mountPath.length - one.mountPath.length)
  const [mount] = inside
  const base = pod.volumes.find(volume => volume.name === mount?.name)?.hostPath?.path
  if (mount === undefined || base === undefined) return undefined
  return { path: join(base, path.slice(mount.mountPath.length)), writable: mount.readOnly !== true }
}

t.test('nopal.ini and the environment make settings without a fault', async t => {
  t.same(warnings, [])
  t.equal(settings.nodeName, 'n1')
  t.equal(settings.podNamespace, 'n1', 'and say whose account the agent asks tokens for')
  const fields = container.env.map(({ name, value, valueFrom }) => [name, value ?? valueFrom?.fieldRef.fieldPath])
  t.same(Object.fromEntries(fields), {
    NODE_NAME: 'spec.nodeName',
    POD_NAME: 'metadata.name',
    POD_NAMESPACE: 'metadata.namespace',
    ...engineEnvironment,
  })
})

t.test('what the agent installs lands in the same folders of the host', async t => {
  const inContainer = installPaths(settings.install)
  const onHost = installPaths({ ...settings.install, hostRoot: '' })
  const writes = ['binary', 'conf', 'kubeconfig'] as const
  for (const name of writes) t.same(hostFolder(inContainer[name]), { path: onHost[name], writable: true }, name)
  t.equal(hostFolder(inContainer.stateFolder)?.path, onHost.stateFolder)
})

t.test("plugins run with the host's files as theirs, and sandboxes are recorded on the host", async t => {
  const inContainer = sandboxPaths(settings.install)
  const onHost = sandboxPaths({ ...settings.install, hostRoot: '' })
  t.same(hostFolder(inContainer.hostRoot), { path: '/', writable: true })
  t.equal(inContainer.binDirOnHost, onHost.binFolder)
  for (const name of ['recordFolder', 'lockFolder'] as const) {
    t.same(hostFolder(inContainer[name]), { path: onHost[name], writable: true }, name)
  }
  const mount = container.volumeMounts.find(({ mountPath }) => mountPath === inContainer.hostRoot)
  t.equal(mount?.mountPropagation, 'HostToContainer', 'what the host mounts later is seen')
})

t.test('the agents are found by their Service', async t => {
  const service = objects.find(({ kind }) => kind === 'Service')
  t.match(service, {
    metadata: { name: 'nopal', namespace: 'nopal' },
    spec: { clusterIP: 'None', ports: [{ port: settings.agent.listen.port, protocol: 'UDP' }] },
  })
  t.match(service, { spec: { selector: spec.selector.matchLabels } })
})

t.test('every mount has its volume and every volume its mount', async t => {
  const mounts = container.volumeMounts.map(({ name }) => name).sort()
  t.same(pod.volumes.map(({ name }) => name).sort(), mounts)
  const config = pod.volumes.find(({ configMap }) => configMap?.name === 'nopal-settings')
  const mount = container.volumeMounts.find(({ name }) => name === config?.name)
  t.equal(mount?.mountPath, '/etc/nopal', 'where the agent looks for nopal.ini')
})

t.test('the ports are those of the settings, and kubelet asks at the one that others cannot reach', async t => {
  const { listen, probes } = settings.agent
  t.same(container.ports, [
    { name: 'http', containerPort: listen.port },
    { name: 'probes', containerPort: listen.port, protocol: 'UDP' },
  ])
  t.equal(probes.host, '127.0.0.1')
  t.same(container.startupProbe.httpGet, { ...probes, path: '/healthz' })
  t.same(container.livenessProbe.httpGet, { ...probes, path: '/healthz' })
  t.same(container.readinessProbe.httpGet, { ...probes, path: '/readyz' })
})

t.test('the pod runs on every new node, with as little as it needs', async t => {
  t.same(pod.tolerations, [{ operator: 'Exists' }])
  t.ok(pod.hostNetwork)
  t.ok(pod.hostPID, "plugins look into the host's /proc")
  t.equal(pod.dnsPolicy, 'ClusterFirstWithHostNet')
  t.equal(pod.priorityClassName, 'system-node-critical', 'the last to be evicted, the first to be scheduled')
  t.ok(container.securityContext.readOnlyRootFilesystem)
  t.notOk(container.securityContext.privileged)
  t.equal(container.securityContext.allowPrivilegeEscalation, false)
  t.equal(pod.securityContext.seccompProfile.type, 'RuntimeDefault')
  const plugin = ['NET_ADMIN', 'NET_RAW', 'SYS_ADMIN', 'SYS_CHROOT']
  t.same(container.securityContext.capabilities, { drop: ['ALL'], add: plugin }, 'what a CNI plugin needs, no more')
  t.same(Object.keys(container.resources.requests), ['cpu', 'memory'])
  t.same(Object.keys(container.resources.limits), ['memory'], 'no CPU: a throttled agent measures its own throttling')
  t.match(spec.template.metadata.labels, spec.selector.matchLabels)
  t.ok(objects.some(({ kind, metadata }) => kind === 'ServiceAccount' && metadata.name === pod.serviceAccountName))
})

t.test('an update restarts some agents at a time, an uninstall all', async t => {
  const [patch] = readYaml('uninstall.yaml') as { spec: DaemonSetSpec }[]
  t.equal(spec.updateStrategy.rollingUpdate.maxUnavailable, '10%')
  t.equal(patch?.spec.updateStrategy.rollingUpdate.maxUnavailable, '100%', 'no node waits for the pods of another')
})

t.test('the uninstall patch changes the container that is there', async t => {
  const [patch] = readYaml('uninstall.yaml') as { spec: DaemonSetSpec }[]
  t.equal(patch?.spec.template.spec.containers[0].name, container.name)
  t.match(readText('uninstall.yaml'), `listen(${settings.agent.probes.port}, '${settings.agent.probes.host}')`)
})
