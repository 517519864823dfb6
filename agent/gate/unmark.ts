import type { GateSettings } from '../config/settings.ts'
import { type KubeApi, orAbsent } from '../kube/api.ts'
import { createNodeWriter, patchKey } from '../kube/node-writer.ts'
import { conditionType } from './condition.ts'
import { findMarks } from './taints.ts'

/** Whose marks are taken off. */
export interface UnmarkOptions {
  readonly api: KubeApi
  readonly node: string
  readonly settings: Pick<GateSettings, 'taint' | 'label'>
  readonly signal: AbortSignal
}

/**
 * Takes label and condition off a node that nobody verifies any more. The taint stays: who has nodes register with it
 * wants them closed until somebody says otherwise.
 * @returns for people: what was done, and what is left to do
 * @throws KubeError
 */
export async function unmark({ api, node: name, settings, signal }: UnmarkOptions): Promise<readonly string[]> {
  const writer = createNodeWriter(api, name)
  const node = await writer.read(signal).catch(orAbsent)
  if (node === undefined) return [`there is no node ${name}`]
  const { labelled, taintAt } = findMarks(node, settings)
  const { taint, label } = settings
  const notes: string[] = []
  if (labelled) {
    const path = `/metadata/labels/${patchKey(label.key)}`
    await writer.patch(
      node.uid,
      [
        { op: 'test', path, value: label.value },
        { op: 'remove', path },
      ],
      signal,
    )
    notes.push(`removed label ${label.key}`)
  }
  if (node.conditions.some(({ type }) => type === conditionType)) {
    const body = { metadata: { uid: node.uid }, status: { conditions: [{ type: conditionType, $patch: 'delete' }] } }
    const path = `/api/v1/nodes/${encodeURIComponent(name)}/status`
    await api.request({ method: 'PATCH', path, body, contentType: 'application/strategic-merge-patch+json', signal })
    notes.push(`removed condition ${conditionType}`)
  }
  if (taintAt.length > 0) notes.push(`the node keeps taint ${taint.key}: pods that do not tolerate it will not land`)
  return notes
}
