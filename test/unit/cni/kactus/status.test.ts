import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { status } from '../../../../cni/kactus/status.ts'
import { CniError } from '../../../../cni/spec/errors.ts'
import { failing } from '../fake-runner.ts'
import { refusalOf } from '../refusal.ts'
import { Bench } from './bench.ts'

const two = { conf: { delegates: [{ type: 'main' }, { type: 'b', name: 'second' }] } }

t.test('well: every delegate was asked', async t => {
  const bench = new Bench(t)
  await status(bench.call('STATUS', two))
  t.strictSame(bench.runner.trace, ['STATUS main', 'STATUS b'])
})

t.test('delegates of a version without STATUS are not asked', async t => {
  const bench = new Bench(t)
  await status(bench.call('STATUS', { conf: { delegates: [{ type: 'main', cniVersion: '1.0.0' }] } }))
  t.strictSame(bench.runner.trace, [])
})

interface FaultCase {
  readonly name: string
  readonly faults?: Readonly<Record<string, number>>
  readonly missing?: string
  readonly cannotLookUp?: string
  readonly code: number
  readonly messages: readonly string[]
}

const faultCases: readonly FaultCase[] = [
  { name: 'a delegate that cannot', faults: { 'STATUS main': 50 }, code: 50, messages: ['STATUS main'] },
  { name: 'a delegate with a code of its own', faults: { 'STATUS main': 777 }, code: 50, messages: ['STATUS main'] },
  {
    name: 'a delegate that cannot and one whose pods suffer: the worse one counts, both are named',
    faults: { 'STATUS main': 50, 'STATUS b': 51 },
    code: 51,
    messages: ['STATUS main', 'STATUS b'],
  },
  { name: 'a plugin that is missing', missing: 'b', code: 50, messages: ['b is not installed'] },
  { name: 'no way to look up', cannotLookUp: 'no kubeconfig', code: 50, messages: ['no kubeconfig'] },
]

for (const { name, faults = {}, missing, cannotLookUp, code, messages } of faultCases) {
  t.test(`unwell: ${name}`, async t => {
    const bench = new Bench(t)
    bench.plays(failing(faults))
    if (missing !== undefined) bench.runner.missing.add(missing)
    const canLookUp = async () => {
      if (cannotLookUp !== undefined) throw new CniError(104, cannotLookUp)
    }
    const error = await refusalOf(() => status({ ...bench.call('STATUS', two), canLookUp }))
    t.equal(error.code, code)
    for (const message of messages) t.match(error.message, message)
    t.strictSame(bench.runner.trace, ['STATUS main', 'STATUS b'], 'all were asked all the same')
  })
}

t.test('a state folder that cannot be written', async t => {
  const bench = new Bench(t)
  await mkdir(join(bench.folder, 'locks'))
  await writeFile(join(bench.folder, 'records'), 'a file')
  t.equal((await refusalOf(() => status(bench.call('STATUS')))).code, 50)
})

t.test('a configuration without delegates is wrong, not unwell', async t => {
  const bench = new Bench(t)
  t.equal((await refusalOf(() => status(bench.call('STATUS', { conf: { delegates: [] } })))).code, 7)
})
