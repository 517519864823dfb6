import type { Hold } from '../gate/plan.ts'
import type { InstallState } from '../install/duty.ts'

/**
 * Joins the installation to the gate: pods must not land before kactus is there to attach them.
 * @param state undefined = the CNI files have not been looked at
 */
export function holdOf(state: InstallState | undefined): Hold | undefined {
  if (state === undefined) return { lasting: false, message: 'the CNI files have not been looked at' }
  if (state.installed) return undefined
  return { lasting: true, message: `the CNI files are not in place: ${state.message}` }
}
