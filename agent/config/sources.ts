import { parse as parseIni } from 'ini'
import type { Environment } from '../runtime/process.ts'
import type { SettingFault } from './faults.ts'
import { environmentName, type Setting } from './setting.ts'
import { allSettings } from './table.ts'

/** Every text that was given for a setting, found by the setting. */
export interface GivenTexts {
  find(row: Setting<unknown>): GivenText | undefined
}

export interface GivenText {
  /** What to call it in a fault. */
  readonly name: string
  readonly text: string
}

/** Name of the variable that says where the file is; it is no setting itself. */
export const configVariable = 'NOPAL_CONFIG'

/**
 * kubelet gives a pod variables for each Service of its namespace. A Service called `nopal` or `nopal-metrics` makes
 * NOPAL_PORT=tcp://..., NOPAL_SERVICE_HOST and the like: nobody's typing error.
 */
const serviceLink = /_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/
const serviceLinkValue = /^(tcp|udp|sctp):\/\//

/** Faults for each name in the environment that looks like ours and is not. */
export function unknownVariables(env: Environment): readonly SettingFault[] {
  const known = new Set([configVariable, ...allSettings().map(environmentName)])
  return Object.entries(env).flatMap(([name, value = '']) => {
    if (!name.startsWith('NOPAL_') || known.has(name)) return []
    if (serviceLink.test(name) || serviceLinkValue.test(value)) return []
    return [{ name, fault: 'unknown name', value }]
  })
}

/** The file as `section` to `key` to text, with a fault for everything in it that is not a setting. */
export interface IniFile {
  readonly texts: ReadonlyMap<string, string>
  readonly faults: readonly SettingFault[]
}

export function readIni(content: string): IniFile {
  const known = new Set(allSettings().map(row => iniName(row)))
  const sections = new Set(allSettings().map(row => row.section))
  const texts = new Map<string, string>()
  const faults: SettingFault[] = []
  for (const [section, value] of Object.entries(parseIni(content))) {
    if (!isGroup(value)) faults.push({ name: section, fault: 'stands in no section', value: String(value) })
    else if (!sections.has(section)) faults.push({ name: `[${section}]`, fault: 'unknown section', value: undefined })
    else faults.push(...readSection(section, value, known, texts))
  }
  return { texts, faults }
}

function readSection(
  section: string,
  group: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
  texts: Map<string, string>,
): readonly SettingFault[] {
  return Object.entries(group).flatMap(([key, value]): SettingFault[] => {
    const name = iniName({ section, key })
    if (isGroup(value)) return [{ name: `[${section}.${key}]`, fault: 'unknown section', value: undefined }]
    if (Array.isArray(value))
      return [{ name, fault: 'is given as an array, not as a comma separated list', value: value.join() }]
    if (!known.has(name)) return [{ name, fault: 'unknown key', value: String(value) }]
    texts.set(name, String(value))
    return []
  })
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** How the file calls a setting, and a process that runs: `[verify] check-timeout`. */
export function iniName({ section, key }: { readonly section: string; readonly key: string }): string {
  return `[${section}] ${key}`
}

/** Environment before file, our own name before the seeds'. A seed's name with nothing in it counts as not set, as there. */
export function givenTexts(env: Environment, ini: ReadonlyMap<string, string>): GivenTexts {
  return {
    find(row) {
      const own = environmentName(row)
      const ownText = env[own]
      if (ownText !== undefined) return { name: own, text: ownText.trim() }
      const alias = row.aliases.find(name => (env[name] ?? '').trim() !== '')
      if (alias !== undefined) return { name: alias, text: (env[alias] ?? '').trim() }
      const text = ini.get(iniName(row))
      return text === undefined ? undefined : { name: iniName(row), text: text.trim() }
    },
  }
}
