import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { egressReasons } from '../agent/netmaker/reasons.ts'
import { type Meaning, reasons } from '../agent/verdict/reasons.ts'

/** `docs/reasons.md`: what each reason means, and what to do. */
export function renderReasons(): string {
  const head = ['', '| reason | what it means | what to do |', '|---|---|---|']
  const rowsOf = (table: Readonly<Record<string, Meaning>>) =>
    Object.entries(table).map(([reason, { means, todo }]) => `| \`${reason}\` | ${means} | ${todo} |`)
  return [
    '# Reasons',
    '',
    'What checks, the condition `nopal.io/NetworkReady` and Events give as their reason. Printed by `scripts/reasons-page.ts`.',
    ...head,
    ...rowsOf(reasons),
    '',
    'Of egress rules in Netmaker: `nopal egress`, Events of the leader, the condition `nopal.io/EgressInEffect`.',
    ...head,
    ...rowsOf(egressReasons),
    '',
  ].join('\n')
}

export const reasonsPage = join(import.meta.dirname, '../docs/reasons.md')

if (import.meta.main) await writeFile(reasonsPage, renderReasons())
