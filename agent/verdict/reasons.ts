/** What a reason means, and what to do about it: sentences for people. */
export interface Meaning {
  readonly means: string
  readonly todo: string
}

const sameAsHost = 'From the host only: the node. From the sandbox only: the CNI plugin of the default network.'

/**
 * Every reason that a check, the condition or an Event gives, in the order of docs/reasons.md, which is printed from here.
 * People script against the names: they are never changed.
 */
export const reasons = {
  // The node
  Verified: { means: 'Every check has passed.', todo: 'Nothing.' },
  Verifying: { means: 'The first verification has not ended.', todo: 'Wait; after `initial-timeout` it has failed.' },
  Settling: {
    means: 'Mode continuous: the node passes again, but not for long enough yet.',
    todo: 'Wait for `[gate] good`, 30 s unless changed.',
  },
  NotInstalled: {
    means: 'The checks pass, but kactus is not in place: a pod that starts now would lack its networks.',
    todo: 'The message says what is waited for; most often the node has no CNI conf yet.',
  },
  WorkerWanted: {
    means: 'The host is well; with `from = host` a worker pod proves the path of pods.',
    todo: 'Wait; if no worker pod comes, look at the log of `nopal lead`.',
  },
  WorkerFailed: {
    means: 'A worker pod has found the network of its node failing. The message has its words.',
    todo: 'Look at what fails; more pods follow by themselves.',
  },
  NodeClaimDeleted: {
    means: 'Every worker pod of the node has failed, and its NodeClaim was deleted.',
    todo: 'Nothing; `[remedy] delete-failed-nodes` switches it off.',
  },
  NodeDeleted: {
    means: 'Every worker pod of the node has failed, it certainly has no NodeClaim, and the Node was deleted.',
    todo: 'End the machine; its kubelet would register again. `[remedy] delete-failed-nodes` switches it off.',
  },
  DeletionHeld: {
    means: 'A node has failed and is not deleted: too many fail at once, or nobody knows whether it has a NodeClaim.',
    todo: 'Look at what the nodes have in common, or at who may list NodeClaims; `[remedy] max-failed`.',
  },
  NothingProved: {
    means: 'Every check was skipped.',
    todo: 'Give the agent something to ask: a cluster, names, `[verify] tcp`.',
  },
  // Names
  NXDomain: {
    means: 'The name server says that the name does not exist.',
    todo: 'Look at `[verify] dns-domains` and at the search path.',
  },
  NoData: {
    means: 'The name exists and has no address.',
    todo: 'As for NXDomain; `ip-families` if one family is missing.',
  },
  ServFail: {
    means: 'The name server could not find out.',
    todo: "Look at the name server's own upstream and its log.",
  },
  Refused: {
    means: 'DNS: the name server will not answer this node. TCP: nobody listens on that port.',
    todo: 'Look at the server: its access list, or whether it runs.',
  },
  NoAnswer: {
    means: 'No reply came in time. As a warning: this server is dead, others live.',
    todo: `Look at the way to the server on port 53, UDP and TCP. ${sameAsHost}`,
  },
  Truncated: {
    means: 'The reply by UDP was cut and the question by TCP had no answer.',
    todo: 'Let TCP port 53 through.',
  },
  CNAMELoop: { means: 'The aliases of the name lead in a circle.', todo: 'Mend the zone.' },
  NotAName: {
    means: 'Skipped: an address among the names proves nothing about DNS.',
    todo: 'Take it out of `dns-domains`.',
  },
  NoNameServer: {
    means: "Skipped: resolv.conf names only the host's own loopback, which pods do not see.",
    todo: 'Set `[verify] cluster-dns`.',
  },
  NotForCluster: {
    means: "Skipped: this server is the node's own and need not know the cluster's names.",
    todo: 'Nothing.',
  },
  // The API and other connections
  Unreachable: {
    means: 'No connection: no route, or something on the way says no.',
    todo: `Look at routes and firewalls. ${sameAsHost}`,
  },
  TimedOut: { means: 'No answer in time.', todo: `Look at what drops packets without a word. ${sameAsHost}` },
  TLSFailed: {
    means: "The server's certificate is not the cluster's.",
    todo: 'Look at who answers at that address, and at the clocks.',
  },
  Unauthorized: {
    means: 'The API does not know this account.',
    todo: 'Look at the ServiceAccount or kubeconfig, and at the clocks.',
  },
  Forbidden: { means: 'The account may not read Service default/kubernetes.', todo: 'Apply the RBAC of `daemonset/`.' },
  Throttled: { means: 'The API asks to come again later.', todo: 'Look at its load and its priority levels.' },
  ServerError: { means: 'The API answers with an error of its own.', todo: 'Look at the API server and at etcd.' },
  BadReply: {
    means: 'The reply is not what such a server says.',
    todo: 'Look at who answers there: a proxy, a login page, another protocol.',
  },
  NoCluster: { means: 'Skipped: no cluster is known.', todo: 'Set `KUBECONFIG`, or run in the cluster.' },
  NoClusterAddress: {
    means: "Skipped: the address of the API's Service is not known here.",
    todo: 'Nothing outside a cluster.',
  },
  // Services
  NoService: { means: 'There is no Service default/kubernetes.', todo: 'Look at the API server: it makes it itself.' },
  NoEndpoints: {
    means: 'The Service has no endpoint that is ready.',
    todo: 'Look at the EndpointSlices of Service kubernetes.',
  },
  EndpointsDisagree: {
    means: 'The Service and its EndpointSlices do not fit together, or an endpoint does not answer.',
    todo: 'Look at the EndpointSlices and at kube-proxy or its stand-in.',
  },
  // Other nodes
  PeersUnreachable: {
    means: 'Other agents do not answer small datagrams. As a warning: some do.',
    todo: 'Let UDP on the port of `[agent] listen` through between nodes.',
  },
  PodsUnreachable: {
    means:
      "Standing sandboxes of other nodes neither refuse a TCP connection of this node's sandbox nor answer its full-size UDP packets. As a warning: some do, or there is only one.",
    todo: 'Look at the way between the pods of the two nodes: allowed-ips, routes, rules for forwarded packets, MTU.',
  },
  BlackHole: {
    means: 'Small packets come through and full-size ones vanish.',
    todo: 'Lower the MTU of the interface on that path by what the tunnels eat, or let ICMP through.',
  },
  NoPeers: { means: 'Skipped: no other agent is known, or none answers.', todo: 'Nothing on a single node.' },
  // The mesh
  LeakedEndpoint: {
    means:
      "A peer's endpoint is an address that only a pod network, a Service or this node itself has: packets to it get nowhere.",
    todo: "Switch `[wireguard] heal` on; look for rules of the mesh that do not name every node's pod CIDR.",
  },
  LoopingEndpoint: {
    means: "A peer's endpoint lies inside what its own tunnel carries: packets go round in it.",
    todo: 'As for LeakedEndpoint; `[wireguard] prevent` keeps it from running away.',
  },
  NestedEndpoint: {
    means: "The way to a peer's endpoint leads into a tunnel: small packets pass, full-size ones vanish.",
    todo: 'Give the endpoint a route outside the tunnels.',
  },
  MissingAllowedIP: {
    means: "A node's pod CIDR is no allowed-ip of its peer here: its pods cannot be reached.",
    todo: 'Add the CIDR to the mesh: in Netmaker as an egress rule of that node.',
  },
  CIDRNotRouted: {
    means:
      "No other node has this node's pod CIDR as an allowed-ip of its key: its pods can neither ask nor be asked. As a warning: some have.",
    todo: 'Add the CIDR to the mesh: in Netmaker as an egress rule of this node. Where some have it, look at those that have not.',
  },
  NoHandshake: {
    means: 'A peer with keepalive has had no handshake for 180 s.',
    todo: 'Look at the other node, and at UDP between the two.',
  },
  NoDevice: {
    means: 'Other nodes publish WireGuard keys and this one has no device.',
    todo: "Look at the mesh's own daemon.",
  },
  DeviceUnreadable: {
    means: 'A WireGuard device is there and cannot be read.',
    todo: 'Look at the message: socket, rights or `wg`.',
  },
  // Places to ask from
  NoSandbox: {
    means: 'Skipped: this process may not make a probe sandbox.',
    todo: 'Give it the capabilities and the host root, or set `from = host`.',
  },
  NoNetwork: {
    means: 'Skipped: the node has no CNI network yet. Of check `egress`: it has no pod CIDR.',
    todo: 'Install the CNI plugin of the default network.',
  },
  SandboxRefused: {
    means: 'The CNI chain did not attach the probe sandbox.',
    todo: "The message has the plugin's words.",
  },
  SandboxTimedOut: {
    means: 'The CNI chain did not end in time with the probe sandbox.',
    todo: "Look at the plugin's daemon; pods wait for it too.",
  },
  SandboxFailed: {
    means:
      'The probe sandbox could not be made, or was lost, for a reason of the node: a full disk, no processes left.',
    todo: 'Look at the message; pods meet the same.',
  },
  DependencyFailed: { means: 'Skipped: a check that it needs has failed.', todo: 'Mend that first.' },
  DryRun: { means: 'Skipped: a dry run leaves the host as it is.', todo: 'Name the sandbox in `--from`.' },
  // The load-balancer pool
  PoolChanged: { means: 'Addresses came into the pool or left it; the note says which and why.', todo: 'Nothing.' },
  PoolChangeHeld: {
    means: 'A change of the pool is due and a guard keeps it back; the note says which.',
    todo: 'Look at the reason behind each address, below.',
  },
  PoolNotKept: {
    means: 'The pool stays as it is: the note says what is in the way.',
    todo: 'Mend that; `/health` of the leader is 503 until then.',
  },
  NewServer: { means: 'A server with the labels has an address that the pool lacks.', todo: 'Nothing.' },
  ServerGone: { means: 'No server has this address any more.', todo: 'Nothing.' },
  NotWanted: {
    means: 'The server is off or being deleted, or its Node is not what `[pool] nodes` asks for.',
    todo: 'Nothing.',
  },
  InUse: {
    means: 'A Service has this address; it leaves the pool when the Service is gone.',
    todo: 'Move the Service.',
  },
  Missed: { means: 'Not missed often and long enough yet.', todo: 'Wait for `[pool] misses` and `miss-time`.' },
  Floor: { means: 'Fewer than `[pool] min-addresses` would be left.', todo: 'Look at why so many are not wanted.' },
  Share: {
    means: 'More than `[pool] max-removals` would leave within `miss-time`.',
    todo: 'Look at why so many go at once.',
  },
  Policy: { means: '`[pool] policy` does not allow it.', todo: 'Nothing, or another policy.' },
  Foreign: {
    means: 'The pool or the block is not ours, or somebody else puts the blocks back each time.',
    todo: 'Set `[pool] adopt`, or keep the other writer from `spec.blocks`.',
  },
  CiliumUnsafe: {
    means: 'This Cilium cuts a node off whose own address is in a pool (1.19.0 to 1.19.4).',
    todo: 'Upgrade Cilium.',
  },
  NoServers: {
    means: 'Hetzner Cloud knows no server with these labels.',
    todo: 'Look at token, project and `label-selector`.',
  },
} as const satisfies Record<string, Meaning>

/** Why a check ended as it did, in one word. */
export type Reason = keyof typeof reasons
