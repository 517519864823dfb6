import type { NetmakerAccess } from '../config/netmaker-access.ts'
import type { NetmakerSettings } from '../config/settings.ts'
import { readSecret } from '../runtime/secret.ts'
import { createNetmakerClient, type NetmakerClient } from './client.ts'

export interface OpenOptions {
  readonly access: NetmakerAccess
  readonly settings: Pick<NetmakerSettings, 'timeoutMs'>
  readonly userAgent: string
  readonly onAnswer?: (method: string, code: string) => void
}

/** The client that the settings ask for; it logs in at its first call. */
export function openNetmaker({ access, settings, userAgent, onAnswer }: OpenOptions): NetmakerClient {
  const { apiUrl, username, password: text = '', passwordFile: file } = access
  return createNetmakerClient({
    baseUrl: apiUrl,
    timeoutMs: settings.timeoutMs,
    userAgent,
    username,
    password: () => readSecret({ text, file }),
    ...(onAnswer === undefined ? {} : { onAnswer }),
  })
}
