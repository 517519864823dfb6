import { loadSettings } from '../../../../agent/config/load.ts'
import type { Settings } from '../../../../agent/config/settings.ts'

/** The settings of a process with that environment and no file. */
export function settingsOf(env: Readonly<Record<string, string>>): Settings {
  const readFile = () => {
    throw Object.assign(new Error('none'), { code: 'ENOENT' })
  }
  return loadSettings({ env, readFile, terminal: false, hostname: 'h', nodeNameOptional: true }).settings
}
