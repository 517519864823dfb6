import type { ApiServer } from '../cluster/api-server.ts'
import { nodePath } from './gate-bed.ts'
import { jsonPatch, type NodeObject, readNode } from './objects.ts'

/** Others that write to a node as fast as the API server lets them. */
export interface Writers {
  /** Ends them all; says how many writes of each kind the server took. */
  stop(): Promise<{ readonly taints: number; readonly statuses: number }>
}

/** Some add and take off taints of their own, each with a precondition, and one patches the status without end. */
export function startWriters(api: ApiServer, name: string, taintWriters: number): Writers {
  const work = { done: false, taints: 0, statuses: 0 }
  const loops = [
    ...Array.from({ length: taintWriters }, (_, at) => flipTaint(api, name, { key: `example.com/w${at}`, work })),
    patchStatus(api, name, work),
  ]
  return {
    async stop() {
      work.done = true
      await Promise.all(loops)
      return work
    },
  }
}

interface Work {
  done: boolean
  taints: number
  statuses: number
}

async function flipTaint(api: ApiServer, name: string, { key, work }: { readonly key: string; readonly work: Work }) {
  while (!work.done) {
    const { spec } = await readNode(api, name)
    const body = flipSteps(spec.taints ?? [], key)
    const answer = await api.send({ method: 'PATCH', path: nodePath(name), body, contentType: jsonPatch })
    if (answer.code === 200) work.taints += 1
    else if (answer.code !== 409 && answer.code !== 422) throw new Error(`a taint writer got ${answer.code}`)
  }
}

/** Odd writers put theirs first and so move all others. */
function flipSteps(taints: NonNullable<NodeObject['spec']['taints']>, key: string): readonly object[] {
  const at = taints.findIndex(taint => taint.key === key)
  const asRead = { op: 'test', path: '/spec/taints', value: taints.length === 0 ? null : taints }
  if (at >= 0) return [asRead, { op: 'remove', path: `/spec/taints/${at}` }]
  const taint = { key, value: 'x', effect: 'NoSchedule' }
  if (taints.length === 0) return [asRead, { op: 'add', path: '/spec/taints', value: [taint] }]
  return [asRead, { op: 'add', path: /[13579]$/.test(key) ? '/spec/taints/0' : '/spec/taints/-', value: taint }]
}

async function patchStatus(api: ApiServer, name: string, work: Work): Promise<void> {
  for (let count = 0; !work.done; count += 1) {
    const body = { status: { conditions: [{ type: 'example.com/Busy', status: 'True', reason: `Write${count}` }] } }
    const contentType = 'application/strategic-merge-patch+json'
    const answer = await api.send({ method: 'PATCH', path: `${nodePath(name)}/status`, body, contentType })
    if (answer.code !== 200) throw new Error(`the status writer got ${answer.code}`)
    work.statuses += 1
  }
}
