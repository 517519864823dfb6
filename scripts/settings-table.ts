import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { environmentName } from '../agent/config/setting.ts'
import { allSettings } from '../agent/config/table.ts'

const readme = join(import.meta.dirname, '../README.md')
const marks = /(<!-- settings:[^\n]*-->\n)[\s\S]*(<!-- \/settings -->)/

/** The settings as a table of Markdown, a row each. */
function renderSettings(): string {
  const rows = allSettings().map(row => {
    const names = [environmentName(row), ...row.aliases].map(name => `\`${name}\``).join(' ')
    const fallback = row.fallback === undefined ? 'must be set' : row.fallback && `\`${row.fallback}\``
    return `| \`[${row.section}]\` \`${row.key}\` | ${fallback} | ${row.describe.replaceAll('|', '\\|')} | ${names} |`
  })
  return ['| setting | default | meaning | environment |', '|---|---|---|---|', ...rows, ''].join('\n')
}

/** A README with its table of settings made anew. */
export function withSettings(text: string): string {
  return text.replace(marks, (_all, open: string, close: string) => `${open}\n${renderSettings()}\n${close}`)
}

if (import.meta.main) await writeFile(readme, withSettings(await readFile(readme, 'utf8')))
