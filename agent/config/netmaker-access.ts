import { type SettingFault, SettingsError } from './faults.ts'
import type { NetmakerSettings } from './settings.ts'

/** What it takes to talk to the Netmaker server. */
export interface NetmakerAccess {
  readonly apiUrl: string
  readonly username: string
  readonly password: string | undefined
  readonly passwordFile: string | undefined
}

/**
 * The access, where the settings ask for one. Agents share a file of settings with the leader and need none of it, so it
 * is not looked at when that is read.
 * @throws SettingsError where only a part of it is set
 */
export function netmakerAccess(settings: NetmakerSettings): NetmakerAccess | undefined {
  const { apiUrl, username, password, passwordFile } = settings
  if (apiUrl === undefined) return undefined
  const faults: SettingFault[] = []
  const missing = (name: string) => faults.push({ name, fault: 'must be set with NETMAKER_API_URL', value: undefined })
  if (username === undefined) missing('NETMAKER_USERNAME')
  if (password === undefined && passwordFile === undefined) missing('NETMAKER_PASSWORD')
  if (username === undefined || faults.length > 0) throw new SettingsError(faults)
  return { apiUrl, username, password, passwordFile }
}
