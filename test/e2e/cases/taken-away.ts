import type { Test } from 'tap'
import { ask } from '../../cluster/api-client.ts'
import { until } from '../../machine/wait.ts'
import type { Bed, BedNode, Case } from '../bed.ts'
import { confsOf, isThere, ownFiles, printFolders, recordOf } from '../host.ts'
import { closeNode, endPod, readPod, startPod, waitForVerified } from '../objects.ts'
import { agentOn, install, isReady, manifestFolder } from '../product.ts'

/**
 * Nopal comes once more and is deleted without the uninstall step, each time in another way. Before that, what takes
 * nothing but pods away.
 */
export const takenAway: readonly Case[] = [
  { name: 'a node is drained and its agent evicted: kactus stays, and the node is verified again', run: drain },
  {
    name: 'kubectl delete -k daemonset without uninstall: pods start again, on the default network',
    run: (t, bed) => deleteWithout(t, bed, ['delete', '-k', manifestFolder, '--timeout=90s']),
  },
  {
    name: 'the namespace deleted: the same',
    run: (t, bed) => deleteWithout(t, bed, ['delete', 'namespace', 'nopal', '--timeout=90s']),
  },
]

async function drain(t: Test, bed: Bed): Promise<void> {
  const { cluster, far } = bed
  const { admin, kubectl } = cluster
  await install(cluster)
  await untilInPlace(far)
  await waitForVerified(admin, far.name)
  await startPod(admin, { name: 'drained', node: far.name })
  const conf = () => printFolders(far.machine, [ownFiles.conf])
  const before = await conf()
  const forced = ['--ignore-daemonsets', '--delete-emptydir-data', '--force']
  await kubectl(['drain', far.name, ...forced, '--timeout=90s'])
  t.equal(await readPod(admin, 'drained'), undefined, 'its pods are gone')
  await replaceAgent(bed)
  t.same(await conf(), before, 'the conf is the one that was there: the default network was not given back')
  await closeNode(admin, far.name)
  await waitForVerified(admin, far.name)
  await kubectl(['uncordon', far.name])
  const pod = await startPod(admin, { name: 'drained', node: far.name })
  t.ok(await recordOf(far.machine, pod.metadata.uid), 'kactus attaches what comes then')
  await endPod(admin, 'drained')
}

/** As who empties a node of everything; its DaemonSet sends another. */
async function replaceAgent({ cluster, far }: Bed): Promise<void> {
  const evicted = (await agentOn(cluster, far.name))?.metadata
  const path = `/api/v1/namespaces/nopal/pods/${evicted?.name}/eviction`
  const metadata = { name: evicted?.name, namespace: 'nopal' }
  await ask(cluster.admin, { method: 'POST', path, body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata } })
  await until(
    'another agent, ready',
    async () => {
      const pod = await agentOn(cluster, far.name)
      return pod?.metadata.uid !== evicted?.uid && isReady(pod)
    },
    { limitMs: 60_000, despiteErrors: true },
  )
}

function untilInPlace({ name, machine }: BedNode): Promise<boolean> {
  return until(`kactus on ${name}`, () => isThere(machine, ownFiles.conf), { despiteErrors: true })
}

async function deleteWithout(t: Test, bed: Bed, words: readonly string[]): Promise<void> {
  const { cluster, nodes } = bed
  const { admin, kubectl } = cluster
  await install(cluster)
  for (const { name, machine } of nodes) {
    await untilInPlace({ name, machine })
    await waitForVerified(admin, name)
    const pod = await startPod(admin, { name: `with-${name}`, node: name })
    t.ok(await recordOf(machine, pod.metadata.uid), `${name}: kactus has attached it`)
  }
  await kubectl(words)
  for (const { name, machine } of nodes) {
    t.same(await confsOf(machine), ['10-e2e.conflist'], name)
    const pod = await startPod(admin, { name: `without-${name}`, node: name })
    t.equal(await recordOf(machine, pod.metadata.uid), undefined, `${name}: without kactus`)
    await endPod(admin, `without-${name}`)
    await endPod(admin, `with-${name}`)
  }
}
