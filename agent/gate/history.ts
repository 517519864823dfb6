/** What the gate remembers of its node between plans. */
export interface GateHistory {
  /** When we came to know the node. */
  readonly knownMs: number | undefined
  /** When we last took our taint off or set our label. */
  readonly openedMs: number | undefined
  /** When we last put our taint on. */
  readonly taintedMs: number | undefined
  /** When too many nodes were tainted for this one to be, and how long that is not asked again. */
  readonly refusal: { readonly atMs: number; readonly waitMs: number } | undefined
}

/** Of a node we have just come to know. */
export const noHistory: GateHistory = {
  knownMs: undefined,
  openedMs: undefined,
  taintedMs: undefined,
  refusal: undefined,
}
