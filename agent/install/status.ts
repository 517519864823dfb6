import type { StatusSection } from '../report/status.ts'
import type { InstallState } from './duty.ts'

/**
 * What is told of the CNI files on the host.
 * @param current undefined = not looked at yet
 */
export function createInstallStatus(enabled: boolean, current: () => InstallState | undefined): StatusSection {
  const state = (): InstallState => {
    if (!enabled) return { installed: false, message: 'switched off by the settings' }
    return current() ?? { installed: false, message: 'not looked at yet' }
  }
  return {
    json: () => ({ cni: { enabled, ...state() } }),
    facts: () => [{ name: 'CNI', text: state().message }],
    missing() {
      const { installed, message } = state()
      return enabled && !installed ? [`the CNI files are not in place: ${message}`] : []
    },
  }
}
