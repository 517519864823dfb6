import type { Check } from '../../../../agent/config/checks.ts'
import { type LoadedSettings, loadSettings } from '../../../../agent/config/load.ts'

/** What a row of a settings table gives to the loader. */
export interface Given {
  readonly env?: Readonly<Record<string, string>>
  readonly ini?: string
  readonly terminal?: boolean
  readonly nodeNameOptional?: boolean
  readonly check?: Check
}

/** Loads settings for node n1 from what the row gives and nothing else. */
export function load(given: Given): LoadedSettings {
  return loadSettings({
    env: { NODE_NAME: 'n1', ...given.env },
    readFile: path => {
      if (given.ini !== undefined && path === (given.env?.NOPAL_CONFIG ?? '/etc/nopal/nopal.ini')) return given.ini
      throw Object.assign(new Error(path), { code: path.startsWith('/locked') ? 'EACCES' : 'ENOENT' })
    },
    terminal: given.terminal ?? false,
    hostname: 'Box7',
    nodeNameOptional: given.nodeNameOptional ?? false,
    ...(given.check !== undefined && { check: given.check }),
  })
}
