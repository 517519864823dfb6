import type { Settings } from '../config/settings.ts'
import type { Hold } from '../gate/plan.ts'
import type { InstallState } from '../install/duty.ts'
import type { Verdict } from '../verdict/verdict.ts'

/**
 * Joins the installation to the gate: pods must not land before kactus is there to attach them.
 * @param state undefined = the CNI files have not been looked at
 */
export function holdOf(state: InstallState | undefined): Hold | undefined {
  if (state === undefined) return { lasting: false, message: 'the CNI files have not been looked at' }
  if (state.installed) return undefined
  return { lasting: true, message: `the CNI files are not in place: ${state.message}` }
}

/**
 * A verdict from before the node had a CNI network says nothing of the path of pods: whoever is to open the node waits for
 * one that does.
 * @param verdict undefined = there is none
 */
export function holdOfNetwork(verdict: Verdict | undefined): Hold | undefined {
  const untried = verdict?.checks.find(({ from, reason }) => from === 'sandbox' && reason === 'NoNetwork')
  return untried && { lasting: true, message: untried.message }
}

/** Where no agent looks from a pod's network a worker pod does, if there are any. */
export function holdOfWorker({ verify, remedy }: Pick<Settings, 'verify' | 'remedy'>): Hold | undefined {
  if (!remedy.workers || verify.from.includes('sandbox')) return undefined
  return { lasting: true, message: 'a worker pod is to prove the path of pods', worker: true }
}
