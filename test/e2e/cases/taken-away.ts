import type { Test } from 'tap'
import { until } from '../../machine/wait.ts'
import type { Bed, Case } from '../bed.ts'
import { confsOf, isThere, ownFiles, recordOf } from '../host.ts'
import { endPod, startPod, waitForVerified } from '../objects.ts'
import { install, manifestFolder } from '../product.ts'

/** Nopal comes once more and is deleted without the uninstall step, each time in another way. */
export const takenAway: readonly Case[] = [
  {
    name: 'kubectl delete -k daemonset without uninstall: pods start again, on the default network',
    run: (t, bed) => deleteWithout(t, bed, ['delete', '-k', manifestFolder, '--timeout=90s']),
  },
  {
    name: 'the namespace deleted: the same',
    run: (t, bed) => deleteWithout(t, bed, ['delete', 'namespace', 'nopal', '--timeout=90s']),
  },
]

async function deleteWithout(t: Test, bed: Bed, words: readonly string[]): Promise<void> {
  const { cluster, nodes } = bed
  const { admin, kubectl } = cluster
  await install(cluster)
  for (const { name, machine } of nodes) {
    await until(`kactus on ${name}`, async () => await isThere(machine, ownFiles.conf), {
      limitMs: 60_000,
      despiteErrors: true,
    })
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
