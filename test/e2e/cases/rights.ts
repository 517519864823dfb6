import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { testUserAgent } from '../../cluster/api-client.ts'
import { readAudit } from '../../cluster/audit.ts'
import { type Manifest, readManifests } from '../../cluster/manifests.ts'
import type { Bed, Case } from '../bed.ts'
import { auditLog } from '../cluster/control-plane.ts'
import { kactusLog } from '../cluster/node.ts'
import { manifestFolder } from '../product.ts'
import { compareRights, formatRights, grantsOf } from '../rights.ts'

/** What the whole story has used: of what the manifests grant, and of what kactus can do. */
export const rights: readonly Case[] = [
  { name: 'rights granted are rights used, none unused, none missing', run: compare },
  { name: 'containerd has called kactus for ADD and DEL, and for nothing else', run: seeVerbs },
]

async function compare(t: Test, { cluster: { plan } }: Bed): Promise<void> {
  const all = await readAudit(auditLog(plan.machineFolder('cp')))
  // With an agent's token the test itself has asked for what is refused.
  const lines = all.filter(({ userAgent }) => userAgent !== testUserAgent)
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

interface LogLine {
  readonly msg: string
  readonly verb?: string
  readonly ms?: number
}

/**
 * containerd 1.6, which is Debian's, knows no other verbs. From 2.0.1 on it asks for STATUS, where the conf is of CNI
 * version 1.1.0; GC it does not call yet, CRI-O does. What kactus answers to those is seen in test/lab/cnitool.test.ts,
 * with the library that both runtimes are made with.
 */
async function seeVerbs(t: Test, { cluster: { plan }, nodes }: Bed): Promise<void> {
  for (const { name } of nodes) {
    const text = await readFile(kactusLog(plan.machineFolder(name)), 'utf8')
    const lines = text.trimEnd().split('\n')
    const calls = lines.map(line => JSON.parse(line) as LogLine).filter(({ ms }) => ms !== undefined)
    t.same([...new Set(calls.map(({ verb }) => verb))].sort(), ['ADD', 'DEL'], name)
    for (const verb of ['ADD', 'DEL']) {
      const times = calls.filter(call => call.verb === verb).map(({ ms = 0 }) => ms)
      const [median] = times.toSorted((one, other) => one - other).slice(times.length / 2)
      t.comment(`${name}: ${times.length} times ${verb}, median ${median} ms`)
    }
  }
}
