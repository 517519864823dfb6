import { join } from 'node:path'
import type { Settings } from '../config/settings.ts'

/** The socket as this process sees it: kactus runs on the host, whose folders may be mounted below a root of their own. */
export function socketPath({ agent, install }: Pick<Settings, 'agent' | 'install'>): string {
  const { hostRoot } = install
  return hostRoot === '' ? agent.socket : join(hostRoot, agent.socket)
}
