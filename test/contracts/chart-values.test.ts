import t from 'tap'
import { renderChart } from '../cluster/helm.ts'
import { load } from '../unit/agent/config/given.ts'
import { type Manifest, readYaml } from '../unit/daemonset/manifests.ts'

/** Where a value of the chart arrives. */

const secret = 'correct horse'

/** Every feature at once. */
const everything = {
  egress: { enabled: true, apiUrl: 'https://api.example.test', username: 'nopal', password: secret },
  pool: { enabled: true, token: secret },
  remedy: { workers: true, deleteFailedNodes: true },
}

type Objects = readonly Manifest[]

function find(objects: Objects, kind: string, name: string): Manifest {
  const found = objects.find(object => object.kind === kind && object.metadata.name === name)
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`)
  return found
}

t.test('another namespace is everywhere, also in what the policy says', async t => {
  const values = { ...everything, monitoring: {} }
  const objects = await renderChart<Manifest>(values, 'elsewhere')
  const texts = objects.filter(({ kind }) => kind !== 'ConfigMap').map(object => JSON.stringify(object))
  for (const text of texts) {
    t.notMatch(text, /"namespace":"nopal"|serviceaccount:nopal:|request\.namespace == 'nopal'/)
  }
  const here = objects.filter(({ metadata }) => metadata.namespace === 'elsewhere')
  t.ok(here.length > 10)
  t.ok(texts.some(text => text.includes("'system:serviceaccount:elsewhere:nopal'")))
  const rules = find(objects, 'ClusterRole', 'nopal-agent').rules
  t.match(JSON.stringify(rules), '"resourceNames":["elsewhere"]', 'the namespace that agents look at')
})

t.test('a namespace and a Lease whose names YAML takes for something else', async t => {
  const monitoring = {
    serviceMonitor: { enabled: true },
    prometheusRule: { enabled: true },
    dashboard: { enabled: true },
  }
  for (const name of ['123', 'on', 'null', '1e3']) {
    const objects = await renderChart<Manifest>(
      { ...everything, monitoring, settings: { leader: { lease: name } } },
      name,
    )
    const texts = objects.map(object => JSON.stringify(object))
    for (const text of texts) t.notMatch(text, /"namespace":[^"]|"resourceNames":\[([^\]]*,)?[^"]/, name)
    const named = objects.filter(({ metadata }) => metadata.namespace === name)
    t.ok(named.length > 15, name)
    t.match(JSON.stringify(find(objects, 'Role', 'nopal-uninstall')), `"nopal-heal","${name}"`)
  }
})

t.test('a value that is left empty in YAML is as if it were not there', async t => {
  const pods = { podAnnotations: null, podLabels: null, tolerations: null, env: null, resources: null }
  const values = { agent: pods, leader: pods, uninstall: { tolerations: null }, settings: { gate: null } }
  t.same(await renderChart(values), await renderChart({ settings: { gate: { mode: null } } }))
})

t.test('the settings reach the policy, the ports and the folders', async t => {
  const objects = await renderChart<Manifest>({
    settings: {
      agent: { listen: ':9090', probes: '127.0.0.1:9092' },
      gate: { 'taint-key': 'example.com/new', 'taint-effect': 'NoExecute', label: 'example.com/known' },
      install: { 'cni-conf-dir': '/var/lib/rancher/k3s/agent/etc/cni/net.d', 'cni-bin-dir': '/bin/cni' },
      leader: { listen: ':9091', lease: 'kaput-not' },
    },
  })
  t.match(find(objects, 'ValidatingAdmissionPolicy', 'nopal-agent'), {
    spec: {
      variables: [
        { name: 'taintKey', expression: "'example.com/new'" },
        { name: 'taintEffect', expression: "'NoExecute'" },
        { name: 'label', expression: "'example.com/known'" },
        { name: 'conditionType', expression: "'nopal.io/NetworkReady'" },
      ],
    },
  })
  t.match(find(objects, 'Service', 'nopal'), { spec: { ports: [{ port: 9090 }] } })
  const agent = podOf(find(objects, 'DaemonSet', 'nopal'))
  t.match(agent.containers[0], {
    ports: [{ containerPort: 9090 }, { containerPort: 9090 }],
    startupProbe: { httpGet: { port: 9092 } },
    livenessProbe: { httpGet: { port: 9092 } },
    readinessProbe: { httpGet: { port: 9092 } },
  })
  const folders = { 'cni-conf': '/var/lib/rancher/k3s/agent/etc/cni/net.d', 'cni-bin': '/bin/cni' }
  for (const [name, path] of Object.entries(folders)) {
    t.match(named(agent.volumes, name), { hostPath: { path } })
    t.match(named(agent.containers[0].volumeMounts, name), { mountPath: `/host${path}` })
  }
  t.match(podOf(find(objects, 'Deployment', 'nopal-leader')).containers[0].ports, [{ containerPort: 9091 }])
  t.match(find(objects, 'Role', 'nopal-leader').rules, [{}, { resourceNames: ['kaput-not'] }])
  const uninstaller = podOf(find(objects, 'DaemonSet', 'nopal-uninstall'))
  t.match(uninstaller.containers[0], { readinessProbe: { httpGet: { port: 9092 } } })
  t.match(uninstaller.containers[0].command.at(-1), 'listen(9092')
  const job = podOf(find(objects, 'Job', 'nopal-uninstall'))
  t.match(job.tolerations[0], { key: 'example.com/new' }, 'the Job may land on nodes that are not verified')
})

interface Named {
  readonly name: string
}

interface Pod {
  readonly volumes: readonly Named[]
  readonly tolerations: readonly object[]
  readonly containers: readonly [
    { readonly volumeMounts: readonly Named[]; readonly ports: unknown; command: string[] },
  ]
}

function podOf(object: Manifest): Pod {
  return (object.spec as { template: { spec: Pod } }).template.spec
}

function named(list: readonly Named[], name: string): Named | undefined {
  return list.find(each => each.name === name)
}

t.test('what an operator wants of pods reaches both roles, and the pods of the uninstallation', async t => {
  const pods = {
    resources: { limits: { memory: '1Gi' } },
    tolerations: [{ key: 'only', operator: 'Exists' }],
    nodeSelector: { pool: 'blue' },
    priorityClassName: 'mine',
    podAnnotations: { note: 'x' },
    podLabels: { team: 'net' },
    env: [{ name: 'HTTPS_PROXY', value: 'http://proxy.test' }],
  }
  const image = {
    repository: 'r.test/nopal',
    digest: `sha256:${'a'.repeat(64)}`,
    pullPolicy: 'Always',
    pullSecrets: ['r'],
  }
  const objects = await renderChart<Manifest>({
    image,
    agent: { ...pods, maxUnavailable: 1 },
    leader: { ...pods, replicas: 3 },
  })
  const { resources, podAnnotations: annotations, podLabels: labels, env, ...spec } = pods
  const rows = { DaemonSet: ['nopal', 'nopal-uninstall'], Deployment: ['nopal-leader'] }
  for (const [kind, names] of Object.entries(rows)) {
    for (const name of names) {
      const template = (find(objects, kind, name).spec as { template: { spec: { containers: { env: unknown[] }[] } } })
        .template
      const container = { resources, image: `${image.repository}@${image.digest}`, imagePullPolicy: 'Always' }
      t.match(template, { metadata: { annotations, labels }, spec: { ...spec, containers: [container] } }, name)
      t.match(template, { spec: { imagePullSecrets: [{ name: 'r' }] } })
      t.same(template.spec.containers[0]?.env.at(-1), env[0])
    }
  }
  t.match(find(objects, 'DaemonSet', 'nopal'), { spec: { updateStrategy: { rollingUpdate: { maxUnavailable: 1 } } } })
  t.match(find(objects, 'Deployment', 'nopal-leader'), { spec: { replicas: 3 } })
})

t.test('worker pods, which the leader makes, have the pull secrets by their account', async t => {
  const values = { remedy: { workers: true }, image: { pullSecrets: ['r'] } }
  const account = find(await renderChart<Manifest>(values), 'ServiceAccount', 'nopal-worker')
  t.match(account, { metadata: { namespace: 'nopal-workers' }, imagePullSecrets: [{ name: 'r' }] })
})

t.test('without a Lease there is one leader, also while it is replaced', async t => {
  const objects = await renderChart<Manifest>({ leader: { replicas: 1 }, settings: { leader: { enabled: false } } })
  t.match(find(objects, 'Deployment', 'nopal-leader').spec, { replicas: 1, strategy: { type: 'Recreate' } })
})

t.test('secrets by value are in a Secret and nowhere else', async t => {
  const objects = await renderChart<Manifest>(everything)
  t.match(find(objects, 'Secret', 'nopal-netmaker'), {
    stringData: { NETMAKER_API_URL: 'https://api.example.test', NETMAKER_USERNAME: 'nopal', NETMAKER_PASSWORD: secret },
  })
  t.match(find(objects, 'Secret', 'nopal-hcloud'), { stringData: { CANADA_KAKTUS_HCLOUD_TOKEN: secret } })
  const others = objects.filter(({ kind }) => kind !== 'Secret')
  t.notMatch(JSON.stringify(others), secret)
})

t.test('secrets by name are not made, and must be there', async t => {
  const objects = await renderChart<Manifest>({
    egress: { enabled: true, existingSecret: 'mine' },
    pool: { enabled: true, existingSecret: 'hetzner' },
  })
  t.equal(objects.filter(({ kind }) => kind === 'Secret').length, 0)
  const container = podOf(find(objects, 'Deployment', 'nopal-leader')).containers[0] as unknown as { envFrom: unknown }
  t.same(container.envFrom, [{ secretRef: { name: 'mine' } }, { secretRef: { name: 'hetzner' } }])
})

t.test('every way to write a setting arrives as it was meant', async t => {
  const objects = await renderChart<Manifest>({
    settings: {
      verify: { 'dns-domains': ['a.test', 'b.test'], peers: 1_000_000, 'check-timeout': 2.5, 'pod-path': false },
      pool: { 'label-selector': 'a in (b, c),!d' },
      netmaker: { cluster: 'it"s;#1' },
    },
    remedy: { workers: true, deleteFailedNodes: true },
  })
  const map = find(objects, 'ConfigMap', 'nopal-settings') as unknown as { data: Record<string, string> }
  const { settings: read } = load({ env: { POD_NAMESPACE: 'nopal' }, ini: map.data['nopal.ini'] ?? '' })
  t.match(read.verify, { dnsDomains: ['a.test', 'b.test'], peers: 1_000_000, checkTimeoutMs: 2_500, podPath: false })
  t.match(read.netmaker, { cluster: 'it"s;#1' })
  t.match(read.remedy, { workers: true, deleteFailedNodes: true })
  t.match(read.install, { hostRoot: '/host' })
})

t.test("definitions may be kept, or be somebody else's", async t => {
  const names = ['networks.kaloom.com', 'nodenetworks.nopal.io']
  const kept = await renderChart<Manifest>({ crds: { keep: true } })
  const plain = await renderChart<Manifest>({})
  for (const name of names) {
    const policy = { metadata: { annotations: { 'helm.sh/resource-policy': 'keep' } } }
    t.match(find(kept, 'CustomResourceDefinition', name), policy)
    t.notMatch(find(plain, 'CustomResourceDefinition', name), policy)
  }
  const none = await renderChart<Manifest>({ crds: { install: false } })
  t.notOk(none.some(({ kind }) => kind === 'CustomResourceDefinition'))
})

t.test('what uninstalls is a hook, all of it, and can be left out', async t => {
  const isHook = ({ metadata }: Manifest) => metadata.annotations?.['helm.sh/hook'] === 'pre-delete'
  const objects = await renderChart<Manifest>({})
  t.same(
    objects
      .filter(isHook)
      .map(({ kind }) => kind)
      .sort(),
    ['ClusterRole', 'ClusterRoleBinding', 'DaemonSet', 'Job', 'Role', 'RoleBinding', 'ServiceAccount'],
  )
  t.ok(objects.every(object => isHook(object) === (object.metadata.name === 'nopal-uninstall')))
  const without = await renderChart<Manifest>({ uninstall: { enabled: false } })
  t.notOk(without.some(isHook))
})

t.test('what watches nopal is made when it is asked for, of the files in docs', async t => {
  const kinds = ['ServiceMonitor', 'PrometheusRule']
  const plain = await renderChart<Manifest>({})
  t.notOk(plain.some(({ kind, metadata }) => kinds.includes(kind) || metadata.name === 'nopal-dashboard'))
  const on = { enabled: true, labels: { release: 'prometheus' } }
  const monitoring = { serviceMonitor: { ...on, interval: '15s' }, prometheusRule: on, dashboard: { enabled: true } }
  const settings = { leader: { listen: ':9091' } }
  const objects = await renderChart<Manifest>({ monitoring, settings })
  const [alerts] = readYaml('../docs/alerts.yaml')
  t.match(find(objects, 'PrometheusRule', 'nopal'), { metadata: { labels: on.labels }, spec: alerts })
  t.match(find(objects, 'ConfigMap', 'nopal-dashboard'), { metadata: { labels: { grafana_dashboard: '1' } } })
  const map = find(objects, 'ConfigMap', 'nopal-dashboard') as unknown as { data: Record<string, string> }
  t.same(JSON.parse(map.data['nopal.json'] ?? ''), readYaml('../docs/dashboard.json')[0])
  const monitor = find(objects, 'ServiceMonitor', 'nopal') as unknown as {
    spec: { selector: { matchLabels: object }; endpoints: readonly { port: string }[] }
  }
  t.match(monitor, { metadata: { labels: on.labels }, spec: { endpoints: [{ interval: '15s', honorLabels: true }] } })
  const ports = { nopal: 8080, 'nopal-leader': 9091 }
  for (const [name, port] of Object.entries(ports)) {
    const service = find(objects, 'Service', `${name}-metrics`)
    t.match(service, { metadata: { labels: monitor.spec.selector.matchLabels } })
    t.match(service, { spec: { selector: { 'app.kubernetes.io/name': name }, ports: [{ name: 'http', port }] } })
  }
})
