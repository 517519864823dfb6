import * as parse from '../parsers.ts'
import { fileOf, section } from '../setting.ts'

const password = {
  aliases: ['NETMAKER_PASSWORD'],
  parse: parse.orNothing(parse.anyText),
  describe: "That user's password.",
}

/** The mesh's own server: pods' networks as egress rules. For the leader and `nopal egress`. */
export const netmaker = section('netmaker', {
  apiUrl: {
    aliases: ['NETMAKER_API_URL'],
    parse: parse.orNothing(parse.httpUrl),
    describe: 'Where the API of the Netmaker server is. Empty: no egress rules are kept.',
  },
  username: {
    aliases: ['NETMAKER_USERNAME'],
    parse: parse.orNothing(parse.anyText),
    describe: 'User of that server, without a second factor.',
  },
  password,
  passwordFile: fileOf(password, 'File that holds the password instead; read again at every login.'),
  cluster: {
    aliases: ['K8S_CLUSTER_NAME'],
    parse: parse.clusterName,
    describe: 'Name of this cluster in the rules; needed where several clusters share a Netmaker network.',
  },
  intervalMs: {
    fallback: '10m',
    parse: parse.duration({ leastMs: 1000 }),
    describe: 'Time between full comparisons of rules and nodes; a changed node is seen at once.',
  },
  timeoutMs: {
    fallback: '10s',
    parse: parse.duration({ leastMs: 100 }),
    describe: 'Limit of each call to the server.',
  },
  maxDeletes: {
    fallback: '10%',
    parse: parse.countOrShare,
    describe: 'Most rules that may be deleted within an interval, as a number or a share of ours. One always may.',
  },
  dryRun: {
    fallback: 'false',
    parse: parse.bool,
    describe: 'Say what would be written, and write nothing to the server.',
  },
})
