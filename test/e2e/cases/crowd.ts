import type { Test } from 'tap'
import { cablesOf } from '../../machine/segment.ts'
import { until } from '../../machine/wait.ts'
import type { Bed, BedNode, Case } from '../bed.ts'
import { addressesOf, recordOf, strayTraces } from '../host.ts'
import { createPod, endPod, type Pod, waitForRunning } from '../objects.ts'

const podsOfEach = 15
const annotations = { networks: '[{"name": "green"}, {"name": "blue"}]' }

/** Many pods at once: kubelets call kactus side by side. */
export const crowd: readonly Case[] = [
  { name: '30 pods with green and blue start at once and end at once, and leave nothing', run: comeAndGo },
]

async function comeAndGo(t: Test, { cluster: { admin }, nodes }: Bed): Promise<void> {
  const before = await Promise.all(nodes.map(countTraces))
  const wanted = nodes.flatMap(node => Array.from({ length: podsOfEach }, (_, at) => ({ node, at })))
  const started = await Promise.all(
    wanted.map(async ({ node, at }) => {
      const name = `crowd-${node.name}-${at}`
      await createPod(admin, { name, node: node.name, annotations })
      return { node, pod: await waitForRunning(admin, name, 180_000) }
    }),
  )
  for (const node of nodes) {
    const pods = started.filter(each => each.node === node).map(each => each.pod)
    const addresses = (await Promise.all(pods.map(pod => attachedAddresses(node, pod)))).flat()
    t.equal(addresses.length, podsOfEach * 3, `${node.name}: three networks for each pod`)
    t.equal(new Set(addresses).size, addresses.length, `${node.name}: no address twice`)
  }
  await Promise.all(started.map(({ pod }) => endPod(admin, pod.metadata.name)))
  for (const [at, node] of nodes.entries()) {
    await until(
      `nothing left of the crowd on ${node.name}`,
      async () => {
        const strays = await strayTraces(node.machine)
        if (strays.length > 0) throw new Error(strays.join(', '))
        const [now, then] = [await countTraces(node), before[at]]
        // The agent's own probe comes and goes; between two of them there are no more than before.
        return then !== undefined && now.cables <= then.cables && now.addresses <= then.addresses ? now : undefined
      },
      { limitMs: 60_000, despiteErrors: true },
    )
  }
}

async function countTraces({ machine }: BedNode): Promise<{ cables: number; addresses: number }> {
  return { cables: (await cablesOf(machine)).length, addresses: (await addressesOf(machine)).length }
}

/** The addresses that kactus' record says the pod was given. */
async function attachedAddresses({ machine }: BedNode, pod: Pod): Promise<readonly string[]> {
  const record = await recordOf(machine, pod.metadata.uid)
  return (record?.attachments ?? []).flatMap(
    ({ result }) => JSON.stringify(result).match(/(?<="address":")[^"]+/g) ?? [],
  )
}
