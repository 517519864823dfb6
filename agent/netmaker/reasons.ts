import type { Meaning } from '../verdict/reasons.ts'
import type { DeleteReason, HoldReason, WriteReason } from './actions.ts'
import type { EffectCause } from './effect.ts'
import type { Unmatched } from './memberships.ts'

type EgressReason = WriteReason | DeleteReason | HoldReason | EffectCause | Unmatched['reason'] | 'InEffect'

/** What `nopal egress`, Events and the condition about egress rules give as their reason; printed to docs/reasons.md. */
export const egressReasons: Readonly<Record<EgressReason, Meaning>> = {
  NoRule: { means: 'A pod CIDR has no rule in a network of its node.', todo: 'Nothing: it is made.' },
  RangeChanged: {
    means: 'The rule of that index has a range that the Node has no more.',
    todo: 'Nothing: it is changed.',
  },
  Drifted: {
    means: 'Name, description, NAT or status of a rule are not as they should be, or it has tags or a domain.',
    todo: 'Nothing: it is put right. Metric, mode and all else are yours.',
  },
  NodeReplaced: {
    means: 'A rule names no node of the mesh that lives: its node has joined again.',
    todo: 'Nothing: it is taken over for the new one.',
  },
  Duplicate: { means: 'A second rule for a range of one node.', todo: 'Nothing: the older one stays.' },
  NodeGone: { means: 'The API server has no Node of the name that the rule goes by.', todo: 'Nothing: it is deleted.' },
  CIDRGone: { means: "The rule's range is none of its Node's pod CIDRs.", todo: 'Nothing: it is deleted.' },
  OtherCluster: {
    means: "Held: the rule is on a node of this cluster, by another cluster's name.",
    todo: 'Delete it by hand if `[netmaker] cluster` was changed.',
  },
  EmptyList: {
    means: 'Held: a list of Nodes, hosts or nodes was empty.',
    todo: 'Look at the rights of the Netmaker user.',
  },
  PartialList: {
    means: 'Held: a Node was not listed and is there all the same, or no rule belongs to any Node of this cluster.',
    todo: 'Look whether the leader talks to the cluster that the rules are of.',
  },
  Unconfirmed: {
    means:
      'Held: a second reading did not say the same, the Node could not be asked for or has no CIDRs yet, or the rule has no name.',
    todo: 'Nothing, unless it stays: then look at the rule, and delete it by hand.',
  },
  Cap: {
    means: 'Held: more would be deleted within an interval than may be.',
    todo: 'Wait, or raise `[netmaker] max-deletes`.',
  },
  NoHost: { means: 'No host in Netmaker has the name of the Node.', todo: 'Give the host the name of its Node.' },
  TwoHosts: { means: 'Several hosts in Netmaker have the name of the Node.', todo: 'Rename or delete the other one.' },
  NotInNetwork: { means: "The Node's host is in no network.", todo: 'Let it join.' },
  NoCIDR: { means: 'The Node has no pod CIDR.', todo: 'Wait, or look at what assigns them.' },
  InEffect: { means: 'Every rule of the Node has come to all nodes that tell.', todo: 'Nothing.' },
  DuplicateRange: {
    means: 'A rule is there without effect, and another one has an overlapping range: a peer keeps one of them.',
    todo: 'Delete the other rule.',
  },
  EndpointInRange: {
    means: "A rule is there without effect: its range holds the host's own endpoint, so Netmaker leaves it out.",
    todo: "Give the host another endpoint, or the cluster's pods other CIDRs.",
  },
  Disconnected: { means: 'A rule is there without effect: the node is disconnected in Netmaker.', todo: 'Connect it.' },
  MessagingDown: {
    means: 'A rule is there without effect: the Netmaker server does not reach its message broker.',
    todo: 'Look at the broker.',
  },
  AccessPolicy: {
    means: 'A rule is there without effect on some nodes; most often an access policy does not name it.',
    todo: "Look at the network's access policies, then let the hosts pull.",
  },
}
