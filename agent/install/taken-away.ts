/** What the API server says of an object when the agent asks for it with its own account, or with kactus'. */
export type Standing =
  | 'there'
  /** It has a deletionTimestamp. */
  | 'going'
  | 'gone'
  /** 401 by a server that works, to a token that has not run out: there is no such account any more. */
  | 'unknownAccount'
  | 'forbidden'
  /** Nothing that says anything: no answer, a fault of the server, a token that has run out. */
  | 'noAnswer'

/** One look at what the agent belongs to. */
export interface Look {
  readonly namespace: Standing
  readonly daemonSet: Standing
  /** The own Node, which is nopal's in no way: who finds it asks the right server. */
  readonly node: Standing
  /** What is said to account kactus, which outlives the agent's pod. */
  readonly kactus: Standing
}

/** What one look means. */
export type Meaning =
  | { readonly kind: 'restarted' }
  | {
      readonly kind: 'takenAway'
      /** For people. */
      readonly why: string
      /** So many looks in a row must say it. */
      readonly looks: number
    }
  /** `refused`: who was let in before may be about to be unknown. */
  | { readonly kind: 'unclear'; readonly refused: boolean }

/**
 * Says whether an agent that is told to end will be back. Pure. Only what can be nothing else means that nopal is taken
 * away: objects that are marked as going, or are not found by a server that finds the Node; or both accounts unknown on a
 * Node that was there when this agent was last let in.
 * @param nodeSeen whether the own Node was there the last time that anybody could tell
 */
export function meaningOf(look: Look, nodeSeen: boolean): Meaning {
  const { namespace, daemonSet, node, kactus } = look
  if (namespace === 'going') return { kind: 'takenAway', why: 'its namespace is being deleted', looks: 1 }
  if (daemonSet === 'going') return { kind: 'takenAway', why: 'its DaemonSet is being deleted', looks: 1 }
  if (daemonSet === 'there') return { kind: 'restarted' }
  // Not the first time: what is replaced by force is gone for a moment.
  if (daemonSet === 'gone' && node === 'there') return { kind: 'takenAway', why: 'its DaemonSet is gone', looks: 3 }
  if (daemonSet === 'unknownAccount') return meaningOfUnknown(kactus, nodeSeen)
  return { kind: 'unclear', refused: daemonSet === 'forbidden' }
}

/** A token dies with the pod that it is bound to, and one of a Node with that; an account only with nopal. */
function meaningOfUnknown(kactus: Standing, nodeSeen: boolean): Meaning {
  if (kactus === 'unknownAccount' && nodeSeen)
    return { kind: 'takenAway', why: 'the API server knows neither its account nor that of kactus', looks: 4 }
  // Of two accounts that go, one goes first, and the server remembers for 10 s whom it has let in.
  return { kind: 'unclear', refused: true }
}
