import type { Test } from 'tap'
import { until } from '../../machine/wait.ts'
import type { Bed, Case } from '../bed.ts'
import { cutMesh, mendMesh } from '../host.ts'
import { readStanding, waitForEvent, waitForVerified } from '../objects.ts'

/** A node that was verified fails later. */
export const continuous: readonly Case[] = [
  { name: 'in continuous mode a node whose mesh is cut is closed again, and opens when it is mended', run: closeAgain },
]

/** As on a cluster whose people have no patience. */
const hasty = ['NOPAL_GATE_MODE=continuous', 'NOPAL_VERIFY_INTERVAL=1s', 'NOPAL_GATE_BAD=2', 'NOPAL_GATE_GOOD=1s']
const asBefore = hasty.map(setting => setting.replace(/=.*/, '-'))

async function closeAgain(t: Test, bed: Bed): Promise<void> {
  const { admin } = bed.cluster
  const [near, far] = [bed.near.name, bed.far.name]
  await restartWith(bed, hasty)
  await waitForVerified(admin, far)
  await cutMesh(bed.far.machine)
  try {
    const closed = await until(
      `${far} closed again`,
      async () => {
        const standing = await readStanding(admin, far)
        return standing.tainted && standing.condition?.status === 'False' ? standing : undefined
      },
      { limitMs: 90_000, despiteErrors: true },
    )
    t.equal(closed.label, undefined, 'the label goes with the taint')
    t.equal((await waitForEvent(admin, far, 'TaintAdded')).length, 1)
    t.notOk((await readStanding(admin, near)).tainted, 'the other node stays open')
  } finally {
    await mendMesh(bed.far.machine)
  }
  await waitForVerified(admin, far)
  // Who looks for what is left over will not have to wait for a minute.
  await restartWith(bed, [...asBefore, 'NOPAL_PODAGENT_SWEEP=5s'])
}

async function restartWith({ cluster: { kubectl } }: Bed, settings: readonly string[]): Promise<void> {
  await kubectl(['-n', 'nopal', 'set', 'env', 'daemonset/nopal', ...settings])
  await kubectl(['-n', 'nopal', 'rollout', 'status', 'daemonset/nopal', '--timeout=110s'])
}
