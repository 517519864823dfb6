import type { SettingFault } from './faults.ts'
import { environmentName, type Setting } from './setting.ts'
import type { AllValues } from './settings.ts'
import { type GivenTexts, iniName } from './sources.ts'
import { settingsTable } from './table.ts'

/** What a command asks of the settings beyond what each of them says of itself. */
export type Check = (given: GivenTexts) => readonly SettingFault[]

const { netmaker, pool, remedy } = settingsTable

/** For who cannot work without the Netmaker server. */
export const needsNetmaker: Check = given => [
  ...oneMustBeSet(given, [netmaker.apiUrl]),
  ...oneMustBeSet(given, [netmaker.username]),
  ...oneMustBeSet(given, [netmaker.password, netmaker.passwordFile]),
]

/** For who works with that server where there is one. Agents share a file of settings with the leader and never do. */
export const wholeNetmaker: Check = given => (isSet(given, netmaker.apiUrl) ? needsNetmaker(given) : [])

/** For who cannot work without Hetzner Cloud. */
export const needsPool: Check = given => oneMustBeSet(given, [pool.hcloudToken, pool.hcloudTokenFile, pool.configFile])

/** Settings that are well, each for itself, and not together. What is undefined has a fault of its own. */
export function contradictions(values: Partial<AllValues>, given: GivenTexts): readonly SettingFault[] {
  if (values.remedy?.deleteFailedNodes !== true || values.remedy.workers !== false) return []
  const { name, text } = given.find(remedy.deleteFailedNodes) ?? { name: iniName(remedy.deleteFailedNodes) }
  const fault = 'must not be true without [remedy] workers: nobody says which nodes have failed'
  return [{ name, fault, value: text }]
}

/** The fault of a setting that nobody has given: both ways to give it. */
export function mustBeSet(row: Setting<unknown>): SettingFault {
  const fault = `must be set (in nopal.ini: ${iniName(row)})`
  return { name: row.aliases[0] ?? environmentName(row), fault, value: undefined }
}

/** Any one of them does; the first is the one to name. */
function oneMustBeSet(given: GivenTexts, rows: readonly [Setting<unknown>, ...Setting<unknown>[]]) {
  return rows.some(row => isSet(given, row)) ? [] : [mustBeSet(rows[0])]
}

function isSet(given: GivenTexts, row: Setting<unknown>): boolean {
  return (given.find(row)?.text ?? '') !== ''
}
