import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { oneLinePattern } from '../agent/config/parsers.ts'
import type { Setting } from '../agent/config/setting.ts'
import { settingsTable } from '../agent/config/table.ts'

/**
 * Writes the settings into the schema of the chart's values: node scripts/chart-schema.ts. The rest of the schema is written
 * by hand.
 */

const file = join(import.meta.dirname, '../daemonset/chart/values.schema.json')

/** What the pod, a Secret or another value of the chart says. */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  agent: ['node-name', 'pod-namespace', 'pod-name', 'kubeconfig'],
  install: ['host-root'],
  netmaker: ['api-url', 'username', 'password', 'password-file'],
  pool: ['hcloud-token', 'hcloud-token-file', 'config-file'],
  remedy: ['workers', 'delete-failed-nodes', 'namespace'],
}

interface ChartSchema {
  readonly properties: Readonly<Record<string, object>>
}

/** The schema with its part about settings made anew. */
export function withSettingsSchema(text: string): string {
  const schema = JSON.parse(text) as ChartSchema
  const sections = Object.entries(settingsTable).map(([name, section]) => [
    name,
    { type: ['object', 'null'], additionalProperties: false, properties: propertiesOf(name, Object.values(section)) },
  ])
  const settings = {
    type: 'object',
    description: 'nopal.ini of agents and leader. Made by scripts/chart-schema.ts.',
    additionalProperties: false,
    properties: Object.fromEntries(sections),
  }
  return `${JSON.stringify({ ...schema, properties: { ...schema.properties, settings } }, null, 2)}\n`
}

function propertiesOf(section: string, rows: readonly Setting<unknown>[]): object {
  const own = rows.filter(({ key }) => !elsewhere[section]?.includes(key))
  return Object.fromEntries(own.map(({ key, describe, parse }) => [key, { description: describe, ...valuesOf(parse) }]))
}

/** Any text is one line: another would be a setting of its own. */
function valuesOf({ schema }: Setting<unknown>['parse']): object {
  return schema ?? { type: ['string', 'number'], pattern: oneLinePattern }
}

if (import.meta.main) await writeFile(file, withSettingsSchema(await readFile(file, 'utf8')))
