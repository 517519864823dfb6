import { labelSelector } from '../label-selector.ts'
import * as parse from '../parsers.ts'
import { fileOf, section } from '../setting.ts'

const hcloudToken = {
  aliases: ['CANADA_KAKTUS_HCLOUD_TOKEN'],
  parse: parse.anyText,
  describe: 'Token of the Hetzner Cloud project; one that may only read is enough. Empty: no pool.',
}

/** The load-balancer pool that follows the servers of a Hetzner Cloud project. */
export const pool = section('pool', {
  hcloudToken,
  hcloudTokenFile: fileOf(hcloudToken, 'File that holds the token, read again when it changes. It wins.'),
  hcloudEndpoint: {
    aliases: ['HCLOUD_ENDPOINT'],
    fallback: 'https://api.hetzner.cloud/v1',
    parse: parse.secretUrl,
    describe: 'The API of Hetzner Cloud.',
  },
  labelSelector: {
    aliases: ['CANADA_KAKTUS_LABELSELECTOR'],
    fallback: 'kops.k8s.io/instance-role=Node',
    parse: labelSelector,
    describe: 'Labels of the servers whose addresses are in the pool.',
  },
  name: {
    fallback: 'covidnetes-pool',
    parse: parse.objectName,
    describe: 'Name of the CiliumLoadBalancerIPPool.',
  },
  intervalMs: {
    fallback: '1m',
    parse: parse.duration({ leastMs: 1000 }),
    describe: 'Time between two lists of the servers.',
  },
  policy: {
    fallback: 'sync',
    parse: parse.oneOf('sync', 'upsert-only', 'create-only'),
    describe: 'sync adds and removes, upsert-only removes nothing, create-only leaves a pool that is there as it is.',
  },
  ipFamilies: {
    fallback: 'ipv4',
    parse: parse.someOf(parse.oneOf('ipv4', 'ipv6')),
    describe: 'Which addresses of a server: ipv4, ipv6 (::1 of its network), or both.',
  },
  minAddresses: {
    fallback: '1',
    parse: parse.wholeNumber({ least: 0 }),
    describe: 'Nothing is removed that would leave fewer. 0: a list without servers is believed.',
  },
  maxRemovals: {
    fallback: '20%',
    parse: parse.countOrShare,
    describe: 'Most addresses that are removed within miss-time, as a number or a share. One always may.',
  },
  misses: {
    fallback: '3',
    parse: parse.wholeNumber({ least: 1 }),
    describe: 'Lists in a row that must lack a server before its address is removed.',
  },
  missTimeMs: {
    fallback: '5m',
    parse: parse.duration({ leastMs: 0 }),
    describe: 'How long they must have lacked it as well.',
  },
  nodes: {
    fallback: 'any',
    parse: parse.oneOf('any', 'known', 'ready', 'verified'),
    describe:
      'Whose addresses: any server, one that is a Node (known), a Node that is ready, or one that nopal has verified.',
  },
  adopt: {
    fallback: 'false',
    parse: parse.bool,
    describe: 'Whether a pool that somebody else made is taken over.',
  },
  allowUnsafeCilium: {
    fallback: 'false',
    parse: parse.bool,
    describe: 'Add addresses also with Cilium 1.19.0 to 1.19.4, which cut a node off whose own address is in the pool.',
  },
  dryRun: {
    fallback: 'false',
    parse: parse.bool,
    describe: 'Say what would be written, but write nothing.',
  },
  configFile: {
    parse: parse.orNothing(parse.path),
    describe: "Canada Kaktus' config.json: HcloudToken and LabelSelector win over these, read again when it changes.",
  },
})
