import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { type BinaryState, copyBinary, createBinaryComparer } from '../../../../agent/install/binary.ts'

interface SameCase {
  readonly name: string
  readonly source: Buffer
  readonly target: Buffer | undefined
  readonly mode?: number
  readonly state: BinaryState
}

const large = Buffer.alloc((1 << 20) + 17, 'x')
const otherEnd = Buffer.from(large)
otherEnd[otherEnd.length - 1] = 0

const cases: readonly SameCase[] = [
  { name: 'the same', source: large, target: large, state: 'current' },
  { name: 'not there', source: large, target: undefined, state: 'missing' },
  { name: 'another last byte', source: large, target: otherEnd, state: 'other' },
  { name: 'shorter', source: large, target: large.subarray(1), state: 'other' },
  { name: 'not executable', source: large, target: large, mode: 0o644, state: 'missing' },
  { name: 'empty', source: Buffer.alloc(0), target: Buffer.alloc(0), state: 'current' },
]

for (const { name, source, target, mode = 0o755, state } of cases) {
  t.test(`executable is current: ${name}`, async t => {
    const [from, to] = filesIn(t.testdir())
    await writeFile(from, source)
    if (target !== undefined) await writeFile(to, target, { mode })
    if (target !== undefined) await chmod(to, mode)
    t.equal(await createBinaryComparer()(from, to), state)
  })
}

t.test('executable is current: a change is seen by the next look', async t => {
  const [from, to] = filesIn(t.testdir())
  const compare = createBinaryComparer()
  await writeFile(from, 'one')
  await copyBinary(from, to)
  t.equal(await compare(from, to), 'current')
  t.equal(await compare(from, to), 'current')
  await writeFile(to, 'two')
  t.equal(await compare(from, to), 'other')
  await copyBinary(from, to)
  t.equal(await compare(from, to), 'current')
})

t.test('executable is current: no source', async t => {
  const [from, to] = filesIn(t.testdir())
  await t.rejects(createBinaryComparer()(from, to), { code: 'BinaryMissing', message: new RegExp(from) })
  await t.rejects(copyBinary(from, to), { code: 'BinaryMissing' })
})

t.test('copy: more than one chunk, byte by byte', async t => {
  const [from, to] = filesIn(t.testdir())
  await writeFile(from, otherEnd)
  await copyBinary(from, to)
  t.ok((await readFile(to)).equals(otherEnd))
})

t.test('copy: a running executable is replaced', async t => {
  const [from, to] = filesIn(t.testdir())
  await copyFile('/bin/sleep', to)
  const running = spawn(to, ['60'])
  t.teardown(() => running.kill())
  await once(running, 'spawn')
  const before = await stat(to)
  await writeFile(from, 'the next version')
  await copyBinary(from, to)
  t.equal(await readFile(to, 'utf8'), 'the next version')
  t.not((await stat(to)).ino, before.ino)
  t.equal(running.exitCode, null)
})

t.test('copy: a link in the way of the temporary file is not followed', async t => {
  const [from, to] = filesIn(t.testdir({ victim: 'untouched' }))
  await writeFile(from, 'the executable')
  await symlink(join(to, '../victim'), `${to}.nopal-new`)
  await t.rejects(copyBinary(from, to), { code: 'ELOOP' })
  t.equal(await readFile(join(to, '../victim'), 'utf8'), 'untouched')
  // The failed try took the link away.
  await copyBinary(from, to)
  t.equal(await readFile(to, 'utf8'), 'the executable')
})

function filesIn(folder: string): [from: string, to: string] {
  return [join(folder, 'from'), join(folder, 'kactus')]
}
