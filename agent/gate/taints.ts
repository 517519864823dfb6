import type { GateSettings } from '../config/settings.ts'
import type { KubeNode } from '../kube/node.ts'
import { type JsonPatchStep, patchKey } from '../kube/node-writer.ts'

/** What of a node is ours. */
export interface OwnMarks {
  /** Places of our taint in the node's list. */
  readonly taintAt: readonly number[]
  readonly labelled: boolean
}

/** Ours is the taint with our key and our effect: the same key with another effect is somebody else's. */
export function findMarks(node: KubeNode, settings: Pick<GateSettings, 'taint' | 'label'>): OwnMarks {
  const { taint, label } = settings
  const taintAt = (node.taints ?? []).flatMap((each, at) =>
    each.key === taint.key && each.effect === taint.effect ? [at] : [],
  )
  return { taintAt, labelled: node.labels?.[label.key] === label.value }
}

/**
 * Takes our taint off and sets our label, in one patch. The list is named in full as it was read, so the patch fails
 * if anyone has changed a taint since; taints of others are never sent back, hence never changed.
 */
export function liftSteps(node: KubeNode, settings: Pick<GateSettings, 'taint' | 'label'>): readonly JsonPatchStep[] {
  const { taintAt, labelled } = findMarks(node, settings)
  return [...untaintSteps(node, taintAt), ...(labelled ? [] : labelSteps(node, settings.label))]
}

/**
 * Puts our taint on and takes our label off, in one patch that fails if anyone has changed a taint or our label since.
 * A label with another value is not the one we set, and stays.
 */
export function closeSteps(node: KubeNode, settings: Pick<GateSettings, 'taint' | 'label'>): readonly JsonPatchStep[] {
  const { taint, label } = settings
  const { labelled } = findMarks(node, settings)
  return [...taintSteps(node, { ...taint }), ...(labelled ? unlabelSteps(label) : [])]
}

/** Takes our taint and our label off, in one patch that fails if anyone has changed a taint or our label since. */
export function unmarkSteps(node: KubeNode, settings: Pick<GateSettings, 'taint' | 'label'>): readonly JsonPatchStep[] {
  const { taintAt, labelled } = findMarks(node, settings)
  return [...untaintSteps(node, taintAt), ...(labelled ? unlabelSteps(settings.label) : [])]
}

function unlabelSteps({ key, value }: GateSettings['label']): readonly JsonPatchStep[] {
  const path = `/metadata/labels/${patchKey(key)}`
  return [
    { op: 'test', path, value },
    { op: 'remove', path },
  ]
}

function taintSteps({ taints }: KubeNode, taint: Readonly<Record<string, unknown>>): readonly JsonPatchStep[] {
  // Adding the list would wipe taints that came in between: the test for null holds only while there is none.
  if (taints === undefined) {
    return [
      { op: 'test', path: '/spec/taints', value: null },
      { op: 'add', path: '/spec/taints', value: [taint] },
    ]
  }
  return [
    { op: 'test', path: '/spec/taints', value: taints.map(each => each.raw) },
    { op: 'add', path: '/spec/taints/-', value: taint },
  ]
}

function untaintSteps(node: KubeNode, taintAt: readonly number[]): readonly JsonPatchStep[] {
  const { taints = [] } = node
  if (taintAt.length === 0) return []
  const asRead: JsonPatchStep = { op: 'test', path: '/spec/taints', value: taints.map(taint => taint.raw) }
  if (taintAt.length === taints.length) return [asRead, { op: 'remove', path: '/spec/taints' }]
  // From the back, so that a removal does not move those still to come.
  return [asRead, ...taintAt.toReversed().map(at => ({ op: 'remove', path: `/spec/taints/${at}` }) as const)]
}

function labelSteps(node: KubeNode, label: GateSettings['label']): readonly JsonPatchStep[] {
  if (node.labels !== undefined)
    return [{ op: 'add', path: `/metadata/labels/${patchKey(label.key)}`, value: label.value }]
  // Adding the whole map would wipe labels that came in between: the test for null holds only while there is none.
  return [
    { op: 'test', path: '/metadata/labels', value: null },
    { op: 'add', path: '/metadata/labels', value: { [label.key]: label.value } },
  ]
}
