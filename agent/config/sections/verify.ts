import * as parse from '../parsers.ts'
import { section } from '../setting.ts'

/** What is verified, how often, and from where. */
export const verify = section('verify', {
  dnsDomains: {
    aliases: ['DNS_TEST_DOMAINS'],
    fallback: 'kubernetes.default.svc.cluster.local',
    parse: parse.someOf(parse.domainOrAddress),
    describe: 'Names that must resolve. Addresses are skipped with a warning: they prove nothing.',
  },
  clusterDns: {
    parse: parse.list(parse.address),
    describe: "Addresses of the name servers that pods use. Empty: kubelet's, else the cluster's Service.",
  },
  checkTimeoutMs: {
    aliases: ['CHECK_TIMEOUT'],
    fallback: '10s',
    parse: parse.duration({ leastMs: 1 }),
    describe: 'Limit of each question a check asks.',
  },
  initialTimeoutMs: {
    aliases: ['INITIAL_TIMEOUT'],
    fallback: '300s',
    parse: parse.duration({ leastMs: 1 }),
    describe: 'Limit of the first verification as a whole.',
  },
  maxRetries: {
    aliases: ['MAX_RETRIES'],
    fallback: '5',
    parse: parse.wholeNumber({ least: 1 }),
    describe: 'Retries of a failing verification before the pause between them stays at its longest.',
  },
  retryBackoff: {
    aliases: ['RETRY_BACKOFF'],
    fallback: 'exponential',
    parse: parse.oneOf('exponential', 'linear'),
    describe: 'Pause before a retry: exponential (1s, 2s, 4s ... 30s) or linear (5s).',
  },
  intervalMs: {
    fallback: '30s',
    parse: parse.duration({ leastMs: 100 }),
    describe: 'Time between verifications of a node that passes.',
  },
  tcp: {
    parse: parse.list(parse.endpoint),
    describe: 'More host:port pairs that must accept a connection.',
  },
  peers: {
    fallback: '3',
    parse: parse.wholeNumber({ least: 0 }),
    describe: 'Agents of other nodes that each verification asks, all of them in turn. 0: none.',
  },
  podPath: {
    fallback: 'true',
    parse: parse.bool,
    describe: 'Whether pods of two nodes must reach each other: each node keeps a standing sandbox that others ask.',
  },
  from: {
    fallback: 'host,sandbox',
    parse: parse.someOf(parse.oneOf('host', 'sandbox')),
    describe: 'Where checks run from: the host, a throw-away pod network (sandbox), or both.',
  },
  ipFamilies: {
    fallback: 'any',
    parse: parse.oneOf('any', 'all', 'primary'),
    describe: 'Which IP families must work where a target has both: any, all or primary.',
  },
})
