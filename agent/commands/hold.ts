import type { Hold } from '../gate/plan.ts'
import type { InstallState } from '../install/duty.ts'

/** Joins the installation to the gate: pods must not land before kactus is there to attach them. */
export interface InstallHold {
  current(): Hold | undefined
  show(state: InstallState): void
}

/** @param installs whether this agent installs kactus at all */
export function createInstallHold(installs: boolean): InstallHold {
  let state: InstallState | undefined
  return {
    current() {
      if (!installs || state?.installed === true) return undefined
      if (state === undefined) return { lasting: false, message: 'the CNI files have not been looked at' }
      return { lasting: true, message: `the CNI files are not in place: ${state.message}` }
    },
    show(found) {
      state = found
    },
  }
}
