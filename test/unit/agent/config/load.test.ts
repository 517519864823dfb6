import t from 'tap'
import type { LoadedSettings } from '../../../../agent/config/load.ts'
import { type Given, load } from './given.ts'

t.test('defaults', async t => {
  const { settings, warnings } = load({})
  t.same(warnings, [])
  t.same(settings, {
    nodeName: 'n1',
    podNamespace: 'kube-system',
    kubeconfig: [],
    apiService: undefined,
    agent: {
      listen: { host: '', port: 8080 },
      probes: { host: '127.0.0.1', port: 8082 },
      socket: '/run/nopal/agent.sock',
      logLevel: 'info',
      logFormat: 'json',
      podName: undefined,
    },
    verify: {
      dnsDomains: ['kubernetes.default.svc.cluster.local'],
      clusterDns: [],
      checkTimeoutMs: 10_000,
      initialTimeoutMs: 300_000,
      maxRetries: 5,
      retryBackoff: 'exponential',
      intervalMs: 30_000,
      tcp: [],
      peers: 3,
      from: ['host', 'sandbox'],
      ipFamilies: 'any',
      podPath: true,
    },
    gate: {
      mode: 'bootstrap',
      taint: { key: 'node-ready/unverified', value: 'true', effect: 'NoSchedule' },
      label: { key: 'node-ready/verified', value: 'true' },
      maxUnavailable: { share: 0.2 },
      bad: 3,
      goodMs: 30_000,
      dryRun: false,
    },
    wireguard: { heal: 'off', interfaces: [], endpoint: undefined, expectExternal: true, prevent: false },
    leader: { enabled: undefined, namespace: undefined, lease: 'nopal-leader', listen: { host: '', port: 8081 } },
    netmaker: {
      apiUrl: undefined,
      username: undefined,
      password: undefined,
      passwordFile: undefined,
      cluster: '',
      intervalMs: 600_000,
      timeoutMs: 10_000,
      maxDeletes: { share: 0.1 },
      dryRun: false,
    },
    remedy: {
      workers: false,
      deadlineMs: 300_000,
      image: undefined,
      namespace: 'nopal-workers',
      maxWorkers: 10,
      maxRetries: 5,
      retryBackoff: 'exponential',
      deleteFailedNodes: false,
      maxDeletes: 1,
      deleteIntervalMs: 600_000,
      maxFailed: { share: 0.2 },
    },
    install: {
      enabled: true,
      cniBinDir: '/opt/cni/bin',
      cniConfDir: '/etc/cni/net.d',
      hostRoot: '',
      kubeletDir: '/var/lib/kubelet',
      allowedPlugins: [],
    },
    podagent: { enabled: true, criSocket: '', sweepMs: 60_000 },
    pool: {
      hcloudToken: '',
      hcloudTokenFile: undefined,
      hcloudEndpoint: 'https://api.hetzner.cloud/v1',
      labelSelector: 'kops.k8s.io/instance-role=Node',
      name: 'covidnetes-pool',
      intervalMs: 60_000,
      policy: 'sync',
      ipFamilies: ['ipv4'],
      minAddresses: 1,
      maxRemovals: { share: 0.2 },
      misses: 3,
      missTimeMs: 300_000,
      nodes: 'any',
      adopt: false,
      allowUnsafeCilium: false,
      dryRun: false,
      configFile: undefined,
    },
  })
  t.ok(Object.isFrozen(settings) && Object.isFrozen(settings.verify.dnsDomains) && Object.isFrozen(settings.gate.taint))
})

interface ValueCase extends Given {
  readonly name: string
  readonly get: (loaded: LoadedSettings) => unknown
  readonly want: unknown
}

const valueCases: readonly ValueCase[] = [
  {
    name: 'a seed name',
    env: { CHECK_TIMEOUT: '3s' },
    get: l => l.settings.verify.checkTimeoutMs,
    want: 3000,
  },
  {
    name: 'our own name wins over the seed name',
    env: { CHECK_TIMEOUT: '3s', NOPAL_VERIFY_CHECK_TIMEOUT: '4s' },
    get: l => l.settings.verify.checkTimeoutMs,
    want: 4000,
  },
  {
    name: 'the environment wins over the file',
    env: { CHECK_TIMEOUT: '3s' },
    ini: '[verify]\ncheck-timeout = 9s\n',
    get: l => l.settings.verify.checkTimeoutMs,
    want: 3000,
  },
  {
    name: 'the file wins over the default',
    ini: '; a comment\n[verify]\ncheck-timeout = 9s\n',
    get: l => l.settings.verify.checkTimeoutMs,
    want: 9000,
  },
  {
    name: 'an empty seed name is not set',
    env: { KUBECONFIG: '', MAX_RETRIES: ' ' },
    get: l => [l.settings.kubeconfig, l.settings.verify.maxRetries],
    want: [[], 5],
  },
  {
    name: 'several kubeconfigs',
    env: { KUBECONFIG: '/a:rel/b::' },
    get: l => l.settings.kubeconfig,
    want: ['/a', 'rel/b'],
  },
  {
    name: 'an empty own name is a value',
    env: { NOPAL_AGENT_SOCKET: '' },
    get: l => l.settings.agent.socket,
    want: '',
  },
  {
    name: 'another file by NOPAL_CONFIG',
    env: { NOPAL_CONFIG: '/x/nopal.ini' },
    ini: '[agent]\nlisten=127.0.0.1:9000',
    get: l => l.settings.agent.listen,
    want: { host: '127.0.0.1', port: 9000 },
  },
  {
    name: 'booleans of the file, in any case',
    ini: '[gate]\ndry-run=TRUE\n[install]\nenabled=false',
    get: l => [l.settings.gate.dryRun, l.settings.install.enabled],
    want: [true, false],
  },
  {
    name: 'Canada Kaktus spelled its levels with a capital',
    env: { CANADA_KAKTUS_LOGLEVEL: 'Debug' },
    get: l => l.settings.agent.logLevel,
    want: 'debug',
  },
  { name: 'text on a terminal', terminal: true, get: l => l.settings.agent.logFormat, want: 'text' },
  {
    name: 'json on a terminal when told',
    terminal: true,
    env: { LOG_FORMAT: 'json' },
    get: l => l.settings.agent.logFormat,
    want: 'json',
  },
  {
    name: 'taint and label',
    env: {
      TAINT_KEY: 'a.b/c',
      TAINT_VALUE: '',
      NOPAL_GATE_TAINT_VALUE: '',
      TAINT_EFFECT: 'NoExecute',
      VERIFIED_LABEL: 'ok',
    },
    get: l => [l.settings.gate.taint, l.settings.gate.label],
    want: [
      { key: 'a.b/c', value: '', effect: 'NoExecute' },
      { key: 'ok', value: 'true' },
    ],
  },
  {
    name: 'addresses among the DNS names are skipped with a warning',
    env: { DNS_TEST_DOMAINS: 'example.com, 8.8.8.8,2001:db8::1' },
    get: l => [l.settings.verify.dnsDomains, l.warnings],
    want: [
      ['example.com'],
      [
        'setting [verify] dns-domains: an address proves nothing about DNS, skipped (8.8.8.8)',
        'setting [verify] dns-domains: an address proves nothing about DNS, skipped (2001:db8::1)',
      ],
    ],
  },
  {
    name: 'the API service of a pod',
    env: { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' },
    get: l => l.settings.apiService,
    want: { host: 'fd00::1', port: 6443 },
  },
  {
    name: 'service links of a Service named like us are not ours',
    env: {
      NOPAL_PORT: 'tcp://10.0.0.1:80',
      NOPAL_SERVICE_HOST: '10.0.0.1',
      NOPAL_METRICS_SERVICE_PORT_HTTP: '80',
      NOPAL_PORT_80_TCP_ADDR: '10.0.0.1',
    },
    get: l => l.settings.nodeName,
    want: 'n1',
  },
  {
    name: 'the host name stands in for a dry run',
    env: { NODE_NAME: '', DRY_RUN: 'true' },
    get: l => [l.settings.nodeName, l.settings.gate.dryRun],
    want: ['box7', true],
  },
  {
    name: 'the host name stands in where allowed',
    env: { NODE_NAME: '' },
    nodeNameOptional: true,
    get: l => l.settings.nodeName,
    want: 'box7',
  },
]

for (const row of valueCases) {
  t.test(row.name, async t => {
    t.same(row.get(load(row)), row.want)
  })
}

t.test("kaput-not's environment", async t => {
  const env = {
    NETMAKER_API_URL: 'https://api.example.test/',
    NETMAKER_USERNAME: 'kaput-not',
    NETMAKER_PASSWORD: 'p w,d',
    K8S_CLUSTER_NAME: 'blue',
    LEADER_ELECTION_ID: 'kaput-not',
  }
  t.match(load({ env }).settings, {
    netmaker: { apiUrl: 'https://api.example.test', username: 'kaput-not', password: 'p w,d', cluster: 'blue' },
    leader: { lease: 'kaput-not' },
  })
})
