/**
 * Why a check ended as it did, in one word; the condition and Events have the same words. What each means, and what to do, is
 * in docs/reasons.md. People script against the names: they are never changed.
 */
export type Reason =
  // The node
  | 'Verified'
  | 'Verifying'
  | 'Settling'
  | 'NotInstalled'
  | 'WorkerWanted'
  | 'WorkerFailed'
  | 'NodeClaimDeleted'
  | 'NodeDeleted'
  | 'DeletionHeld'
  | 'NothingProved'
  // Names
  | 'NXDomain'
  | 'NoData'
  | 'ServFail'
  | 'Refused'
  | 'NoAnswer'
  | 'Truncated'
  | 'CNAMELoop'
  | 'NotAName'
  | 'NoNameServer'
  | 'NotForCluster'
  // The API and other connections
  | 'Unreachable'
  | 'TimedOut'
  | 'TLSFailed'
  | 'Unauthorized'
  | 'Forbidden'
  | 'Throttled'
  | 'ServerError'
  | 'BadReply'
  | 'NoCluster'
  | 'NoClusterAddress'
  // Services
  | 'NoService'
  | 'NoEndpoints'
  | 'EndpointsDisagree'
  // Other nodes
  | 'PeersUnreachable'
  | 'PodsUnreachable'
  | 'BlackHole'
  | 'NoPeers'
  // The mesh
  | 'LeakedEndpoint'
  | 'LoopingEndpoint'
  | 'NestedEndpoint'
  | 'MissingAllowedIP'
  | 'CIDRNotRouted'
  | 'NoHandshake'
  | 'NoDevice'
  | 'DeviceUnreadable'
  // Places to ask from
  | 'NoSandbox'
  | 'NoNetwork'
  | 'SandboxRefused'
  | 'SandboxTimedOut'
  | 'SandboxFailed'
  | 'DependencyFailed'
  | 'DryRun'
  // The load-balancer pool; those of single addresses are in agent/pool/plan.ts
  | 'PoolChanged'
  | 'PoolChangeHeld'
  | 'PoolNotKept'
