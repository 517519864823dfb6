import * as parse from './parsers.ts'

/** One setting: its names, its default, how it is read and what it does. README's table is printed from these. */
export interface Setting<T> {
  readonly section: string
  readonly key: string
  /** Environment names of the seeds that mean the same. */
  readonly aliases: readonly string[]
  /** Read like any other value; undefined = must be set. */
  readonly fallback: string | undefined
  readonly parse: parse.Parse<T>
  readonly describe: string
}

interface SettingRow<T> {
  readonly aliases?: readonly string[]
  readonly fallback?: string
  readonly parse: parse.Parse<T>
  readonly describe: string
}

function setting<T>(section: string, key: string, row: SettingRow<T>): Setting<T> {
  return { section, key, aliases: [], fallback: undefined, ...row }
}

const anySpan = parse.duration({ leastMs: 0 })
const realSpan = parse.duration({ leastMs: 1 })

/** Every setting, by section. */
export const settingsTable = {
  agent: {
    nodeName: setting('agent', 'node-name', {
      aliases: ['NODE_NAME'],
      parse: parse.objectName,
      describe: 'Name of the Node object this agent works for.',
    }),
    podNamespace: setting('agent', 'pod-namespace', {
      aliases: ['POD_NAMESPACE'],
      fallback: 'kube-system',
      parse: parse.objectName,
      describe: 'Namespace the agent runs in.',
    }),
    kubeconfig: setting('agent', 'kubeconfig', {
      aliases: ['KUBECONFIG'],
      fallback: '',
      parse: parse.orNothing(parse.anyPath),
      describe: 'Path of a kubeconfig. Empty: the account of the pod.',
    }),
    listen: setting('agent', 'listen', {
      fallback: ':8080',
      parse: parse.listenAddress,
      describe: 'Where metrics, health and status are served.',
    }),
    socket: setting('agent', 'socket', {
      fallback: '/run/nopal/agent.sock',
      parse: parse.pathOrNothing,
      describe: 'Socket on which kactus asks for pods and networks. Empty: off.',
    }),
    logLevel: setting('agent', 'log-level', {
      aliases: ['LOG_LEVEL', 'CANADA_KAKTUS_LOGLEVEL'],
      fallback: 'info',
      parse: parse.oneOf('debug', 'info', 'warn', 'error'),
      describe: 'Least level that is logged: debug, info, warn or error.',
    }),
    logFormat: setting('agent', 'log-format', {
      aliases: ['LOG_FORMAT'],
      fallback: '',
      parse: parse.orNothing(parse.oneOf('json', 'text')),
      describe: 'json or text. Empty: text on a terminal, else json.',
    }),
  },
  verify: {
    dnsDomains: setting('verify', 'dns-domains', {
      aliases: ['DNS_TEST_DOMAINS'],
      fallback: 'kubernetes.default.svc.cluster.local',
      parse: parse.someOf(parse.domainOrAddress),
      describe: 'Names that must resolve. Addresses are skipped with a warning: they prove nothing.',
    }),
    checkTimeoutMs: setting('verify', 'check-timeout', {
      aliases: ['CHECK_TIMEOUT'],
      fallback: '10s',
      parse: realSpan,
      describe: 'Limit of each question a check asks.',
    }),
    initialTimeoutMs: setting('verify', 'initial-timeout', {
      aliases: ['INITIAL_TIMEOUT'],
      fallback: '300s',
      parse: realSpan,
      describe: 'Limit of the first verification as a whole.',
    }),
    maxRetries: setting('verify', 'max-retries', {
      aliases: ['MAX_RETRIES'],
      fallback: '5',
      parse: parse.wholeNumber({ least: 1 }),
      describe: 'Retries of a failing verification before the pause between them stays at its longest.',
    }),
    retryBackoff: setting('verify', 'retry-backoff', {
      aliases: ['RETRY_BACKOFF'],
      fallback: 'exponential',
      parse: parse.oneOf('exponential', 'linear'),
      describe: 'Pause before a retry: exponential (1s, 2s, 4s ... 30s) or linear (5s).',
    }),
    intervalMs: setting('verify', 'interval', {
      fallback: '30s',
      parse: parse.duration({ leastMs: 100 }),
      describe: 'Time between verifications of a node that passes.',
    }),
    tcp: setting('verify', 'tcp', {
      fallback: '',
      parse: parse.list(parse.endpoint),
      describe: 'More host:port pairs that must accept a connection.',
    }),
    from: setting('verify', 'from', {
      fallback: 'host,sandbox',
      parse: parse.someOf(parse.oneOf('host', 'sandbox')),
      describe: 'Where checks run from: the host, a throw-away pod network (sandbox), or both.',
    }),
    ipFamilies: setting('verify', 'ip-families', {
      fallback: 'any',
      parse: parse.oneOf('any', 'all', 'primary'),
      describe: 'Which IP families must work where a target has both: any, all or primary.',
    }),
  },
  gate: {
    mode: setting('gate', 'mode', {
      fallback: 'bootstrap',
      parse: parse.oneOf('bootstrap', 'continuous'),
      describe: 'bootstrap lifts the taint once; continuous also puts it back on a node that fails.',
    }),
    taintKey: setting('gate', 'taint-key', {
      aliases: ['TAINT_KEY'],
      fallback: 'node-ready/unverified',
      parse: parse.qualifiedName,
      describe: 'Key of the taint that keeps pods away.',
    }),
    taintValue: setting('gate', 'taint-value', {
      aliases: ['TAINT_VALUE'],
      fallback: 'true',
      parse: parse.labelValue,
      describe: 'Value of the taint when nopal puts it on.',
    }),
    taintEffect: setting('gate', 'taint-effect', {
      aliases: ['TAINT_EFFECT'],
      fallback: 'NoSchedule',
      parse: parse.oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute'),
      describe: 'Effect of the taint.',
    }),
    label: setting('gate', 'label', {
      aliases: ['VERIFIED_LABEL'],
      fallback: 'node-ready/verified',
      parse: parse.qualifiedName,
      describe: 'Key of the label on a verified node.',
    }),
    labelValue: setting('gate', 'label-value', {
      aliases: ['VERIFIED_LABEL_VALUE'],
      fallback: 'true',
      parse: parse.labelValue,
      describe: 'Value of that label.',
    }),
    maxUnavailable: setting('gate', 'max-unavailable', {
      fallback: '20%',
      parse: parse.countOrShare,
      describe: 'Continuous: most nodes that may carry the taint at once, as a number or a share. One always may.',
    }),
    bad: setting('gate', 'bad', {
      fallback: '3',
      parse: parse.wholeNumber({ least: 1 }),
      describe: 'Continuous: failing verifications in a row before the taint is put back.',
    }),
    goodMs: setting('gate', 'good', {
      fallback: '30s',
      parse: anySpan,
      describe: 'Continuous: how long a node that has failed must pass before the taint is lifted.',
    }),
    dryRun: setting('gate', 'dry-run', {
      aliases: ['DRY_RUN'],
      fallback: 'false',
      parse: parse.bool,
      describe: 'Verify and say what would be written, but write nothing.',
    }),
  },
  wireguard: {
    heal: setting('wireguard', 'heal', {
      fallback: 'off',
      parse: parse.oneOf('off', 'observe', 'heal'),
      describe: 'What to do about a wrong endpoint: nothing, report it, or put it right.',
    }),
    interfaces: setting('wireguard', 'interfaces', {
      fallback: '',
      parse: parse.list(parse.interfaceName),
      describe: 'WireGuard interfaces to look at. Empty: all.',
    }),
    endpoint: setting('wireguard', 'endpoint', {
      fallback: '',
      parse: parse.orNothing(parse.address),
      describe: 'Address at which others reach this node, where it cannot be found. Empty: it is found.',
    }),
    expectExternal: setting('wireguard', 'expect-external', {
      fallback: 'true',
      parse: parse.bool,
      describe: 'Whether peers are expected at public addresses.',
    }),
  },
  install: {
    enabled: setting('install', 'enabled', {
      fallback: 'true',
      parse: parse.bool,
      describe: 'Whether the agent installs kactus on its host.',
    }),
    cniBinDir: setting('install', 'cni-bin-dir', {
      fallback: '/opt/cni/bin',
      parse: parse.path,
      describe: "The runtime's folder of CNI plugins.",
    }),
    cniConfDir: setting('install', 'cni-conf-dir', {
      fallback: '/etc/cni/net.d',
      parse: parse.path,
      describe: "The runtime's folder of CNI configuration.",
    }),
    hostRoot: setting('install', 'host-root', {
      fallback: '',
      parse: parse.pathOrNothing,
      describe: "Folder under which the host's folders are mounted. Empty: the host itself.",
    }),
  },
} as const

/** The environment name of a setting: `NOPAL_VERIFY_CHECK_TIMEOUT`. */
export function environmentName(row: { readonly section: string; readonly key: string }): string {
  return `NOPAL_${row.section}_${row.key}`.replaceAll('-', '_').toUpperCase()
}

/** All settings in the order of the table. */
export function allSettings(): readonly Setting<unknown>[] {
  return Object.values(settingsTable).flatMap(section => Object.values<Setting<unknown>>(section))
}
