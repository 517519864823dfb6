import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { readAudit } from '../../cluster/audit.ts'
import { type Manifest, readManifests } from '../../cluster/manifests.ts'
import type { Bed, Case } from '../bed.ts'
import { auditLog } from '../cluster/control-plane.ts'
import { manifestFolder } from '../product.ts'
import { compareRights, formatRights, grantsOf } from '../rights.ts'

/** What the whole story has used of what the manifests grant. */
export const rights: readonly Case[] = [
  { name: 'rights granted are rights used, none unused, none missing', run: compare },
]

async function compare(t: Test, { cluster: { plan } }: Bed): Promise<void> {
  const lines = await readAudit(auditLog(plan.machineFolder('cp')))
  const report = compareRights(grantsOf(await readAll()), lines)
  for (const row of formatRights(report).split('\n')) t.comment(row)
  t.same(report.faults, [], 'nothing was refused')
  t.ok(report.grants.length > 10, 'the manifests grant something')
  for (const { account, verb, resource, uses } of report.grants)
    t.ok(uses > 0, `${account}: ${verb} ${resource} is used`)
}

async function readAll(): Promise<readonly Manifest[]> {
  const files = (await readdir(manifestFolder)).filter(name => name.endsWith('.yaml'))
  const objects = (await Promise.all(files.map(name => readManifests(join(manifestFolder, name))))).flat()
  return objects.filter(({ kind }) => /Role(?:Binding)?$/.test(kind))
}
