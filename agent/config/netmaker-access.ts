import type { NetmakerSettings } from './settings.ts'

/** What it takes to talk to the Netmaker server. */
export interface NetmakerAccess {
  readonly apiUrl: string
  readonly username: string
  readonly password: string | undefined
  readonly passwordFile: string | undefined
}

/** The access; undefined = the settings ask for none. That it is whole was checked with them. */
export function netmakerAccess(settings: NetmakerSettings): NetmakerAccess | undefined {
  const { apiUrl, username, password, passwordFile } = settings
  if (apiUrl === undefined || username === undefined) return undefined
  return { apiUrl, username, password, passwordFile }
}
