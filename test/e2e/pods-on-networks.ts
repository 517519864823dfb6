import type { ApiTarget } from '../cluster/api-client.ts'
import { until } from '../machine/wait.ts'
import type { BedNode } from './bed.ts'
import { recordOf } from './host.ts'
import { createPod, endPod, waitForRunning } from './objects.ts'
import type { TestCluster } from './test-cluster.ts'

/** Annotations of a pod that wants both networks of the examples. */
export const onBoth = { networks: '[{"name": "green"}, {"name": "blue"}]' }
/** Pods that come and go one after the other, whatever the time an update takes. */
const leastRounds = 2

/** What `ip addr` says in a pod, once the kernel has tried every address: for a second or two it calls new ones tentative. */
export function addressesAtRest(kubectl: TestCluster['kubectl'], pod: string, ...words: readonly string[]) {
  return until(`the addresses of ${pod} at rest`, async () => {
    const said = await kubectl(['exec', pod, '--', 'ip', 'addr', ...words])
    return !said.includes('tentative') && said
  })
}

/** Where pods come and go, one after the other. */
interface Lane {
  readonly node: BedNode
  readonly lane: number
  readonly more: () => boolean
}

/** One pod after the other on a node, each with two networks; returns how many, all of them well. */
export async function comeAndGo(admin: ApiTarget, { node, lane, more }: Lane): Promise<number> {
  for (let round = 1; ; round += 1) {
    const name = `busy-${node.name}-${lane}-${round}`
    await createPod(admin, { name, node: node.name, annotations: onBoth })
    const pod = await waitForRunning(admin, name)
    const record = await recordOf(node.machine, pod.metadata.uid)
    if (record?.attachments.length !== 3) throw new Error(`${name} lacks a network: ${JSON.stringify(record)}`)
    await endPod(admin, name)
    if (!more() && round >= leastRounds) return round
  }
}
