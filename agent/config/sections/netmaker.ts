import * as parse from '../parsers.ts'
import { fileOf, section } from '../setting.ts'

const password = {
  key: 'password',
  aliases: ['NETMAKER_PASSWORD'],
  fallback: '',
  parse: parse.orNothing(parse.anyText),
  describe: "That user's password.",
}

/** The mesh's own server: pods' networks as egress rules. For the leader and `nopal egress`. */
export const netmaker = section('netmaker', {
  apiUrl: {
    key: 'api-url',
    aliases: ['NETMAKER_API_URL'],
    fallback: '',
    parse: parse.orNothing(parse.httpUrl),
    describe: 'Where the API of the Netmaker server is. Empty: no egress rules are kept.',
  },
  username: {
    key: 'username',
    aliases: ['NETMAKER_USERNAME'],
    fallback: '',
    parse: parse.orNothing(parse.anyText),
    describe: 'User of that server, without a second factor.',
  },
  password,
  passwordFile: fileOf(password, 'File that holds the password instead; read again at every login.'),
  cluster: {
    key: 'cluster',
    aliases: ['K8S_CLUSTER_NAME'],
    fallback: '',
    parse: parse.clusterName,
    describe: 'Name of this cluster in the rules; needed where several clusters share a Netmaker network.',
  },
  intervalMs: {
    key: 'interval',
    fallback: '10m',
    parse: parse.duration({ leastMs: 1000 }),
    describe: 'Time between full comparisons of rules and nodes; a changed node is seen at once.',
  },
  timeoutMs: {
    key: 'timeout',
    fallback: '10s',
    parse: parse.duration({ leastMs: 100 }),
    describe: 'Limit of each call to the server.',
  },
  maxDeletes: {
    key: 'max-deletes',
    fallback: '10%',
    parse: parse.countOrShare,
    describe: 'Most rules that may be deleted within an interval, as a number or a share of ours. One always may.',
  },
  dryRun: {
    key: 'dry-run',
    fallback: 'false',
    parse: parse.bool,
    describe: 'Say what would be written, and write nothing to the server.',
  },
})
