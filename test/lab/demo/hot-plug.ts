import { annotate, eventsOf, links, sayRunning, untilLinks } from '../hotplug-bed.ts'
import type { Lab } from '../lab.ts'
import type { LabPod } from '../pods.ts'

/** The annotation of a pod that runs is edited: green goes, and comes back with an address of its own. */
export async function unplugAndPlug(lab: Lab, pod: LabPod): Promise<string[]> {
  await sayRunning(lab, pod)
  const timed = async (networks: readonly object[], wanted: readonly string[]) => {
    const startedMs = performance.now()
    await annotate(lab, pod, { networks })
    await untilLinks(pod, wanted)
    return `${JSON.stringify(networks)}: ${['eth0', ...wanted].join(', ')} after ${Math.round(performance.now() - startedMs)} ms`
  }
  const without = await timed([{ name: 'blue' }], [links.blue])
  const again = await timed(
    [{ name: 'green', ifMac: '02:00:00:00:00:2a' }, { name: 'blue' }],
    [links.green, links.blue],
  )
  return [without, again, ...(await eventsOf(lab, pod))]
}
