import * as parse from '../parsers.ts'
import { section } from '../setting.ts'

/** The one of several `nopal lead` that works. */
export const leader = section('leader', {
  enabled: {
    aliases: ['LEADER_ELECTION_ENABLED'],
    parse: parse.orNothing(parse.bool),
    describe: 'Whether a Lease decides which leader works. Empty: in a cluster yes, outside no.',
  },
  namespace: {
    aliases: ['LEADER_ELECTION_NAMESPACE'],
    parse: parse.orNothing(parse.objectName),
    describe: "Namespace of that Lease. Empty: the pod's.",
  },
  lease: {
    aliases: ['LEADER_ELECTION_ID'],
    fallback: 'nopal-leader',
    parse: parse.objectName,
    describe: 'Name of that Lease.',
  },
  listen: {
    fallback: ':8081',
    parse: parse.listenAddress,
    describe: 'Where the leader serves metrics, health and status.',
  },
})
