import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { reasons } from '../agent/verdict/reasons.ts'

/** `docs/reasons.md`: what each reason means, and what to do. */
export function renderReasons(): string {
  const rows = Object.entries(reasons).map(([reason, { means, todo }]) => `| \`${reason}\` | ${means} | ${todo} |`)
  return [
    '# Reasons',
    '',
    'What checks, the condition `nopal.io/NetworkReady` and Events give as their reason. Printed by `scripts/reasons-page.ts`.',
    '',
    '| reason | what it means | what to do |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

export const reasonsPage = join(import.meta.dirname, '../docs/reasons.md')

if (import.meta.main) await writeFile(reasonsPage, renderReasons())
