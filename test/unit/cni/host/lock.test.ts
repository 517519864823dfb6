import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, unlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { acquireLock, isHeld, waitUntilFree } from '../../../../cni/host/lock.ts'
import { isBoundByOthers } from '../../../../cni/host/socket-owner.ts'
import { startScript } from './child.ts'

/** Longer than a test may take: whoever is not woken fails it. */
const patient = { timeoutMs: 600_000 }
const source = join(import.meta.dirname, '../../../../cni/host/lock.ts')

function holderOf(t: Test, folder: string) {
  const script = `
    import { acquireLock } from ${JSON.stringify(source)}
    await acquireLock(${JSON.stringify(folder)}, 'c1', ${JSON.stringify(patient)})
    console.log('held')
    setInterval(() => undefined, 60_000)`
  return startScript(t, script)
}

t.test('one at a time, all of them in the end', async t => {
  const folder = join(t.testdir({}), 'locks')
  let inside = 0
  let most = 0
  let turns = 0
  const work = async () => {
    const lock = await acquireLock(folder, 'c1', patient)
    most = Math.max(most, ++inside)
    await setImmediate()
    turns++
    inside--
    await lock.release()
  }
  await Promise.all(Array.from({ length: 20 }, work))
  t.equal(most, 1)
  t.equal(turns, 20)
  t.strictSame(readdirSync(folder), [], 'nothing stays')
  t.equal(statSync(folder).mode & 0o777, 0o700)
})

t.test('locks of two names do not know each other', async t => {
  const folder = t.testdir({})
  const one = await acquireLock(folder, 'c1', { timeoutMs: 0 })
  const other = await acquireLock(folder, 'c2', { timeoutMs: 0 })
  t.ok(await isHeld(folder, 'c1'))
  await one.release()
  t.notOk(await isHeld(folder, 'c1'))
  t.ok(await isHeld(folder, 'c2'))
  await other.release()
})

t.test('who comes too late is told so, and the lock stays held', async t => {
  const folder = t.testdir({})
  const lock = await acquireLock(folder, 'c1', patient)
  await t.rejects(acquireLock(folder, 'c1', { timeoutMs: 0 }), { name: 'LockTimeout', code: 'LockTimeout' })
  await t.rejects(waitUntilFree(folder, 'c1', { timeoutMs: 0 }), { code: 'LockTimeout' })
  t.ok(await isHeld(folder, 'c1'))
  await lock.release()
  await (await acquireLock(folder, 'c1', patient)).release()
})

t.test('no two holders have the same name, so none can be taken in advance', async t => {
  const folder = t.testdir({})
  const names = new Set<string>()
  for (let round = 0; round < 5; round++) {
    const lock = await acquireLock(folder, 'c1', patient)
    names.add(readlinkSync(join(folder, 'c1')))
    await lock.release()
  }
  t.equal(names.size, 5)
  for (const name of names) t.match(name, /^nopal-[0-9a-f]{32}$/)
})

t.test('a dead holder keeps nothing', async t => {
  const folder = t.testdir({})
  const holder = holderOf(t, folder)
  t.equal(await holder.line(), 'held')
  await t.rejects(acquireLock(folder, 'c1', { timeoutMs: 0 }), { code: 'LockTimeout' })
  await holder.kill()
  t.notOk(await isHeld(folder, 'c1'))
  await (await acquireLock(folder, 'c1', patient)).release()
})

t.test('those who wait for a holder in another process go on when it dies', async t => {
  const folder = t.testdir({})
  const holder = holderOf(t, folder)
  t.equal(await holder.line(), 'held')
  const order: string[] = []
  const waiting = acquireLock(folder, 'c1', patient).then(lock => {
    order.push('taken')
    return lock
  })
  const free = waitUntilFree(folder, 'c1', patient)
  await setImmediate()
  order.push('killed')
  await holder.kill()
  const lock = await waiting
  t.strictSame(order, ['killed', 'taken'])
  await lock.release()
  await free
})

t.test('to wait for what nobody holds is to go on', async t => {
  const folder = t.testdir({})
  await t.resolves(waitUntilFree(folder, 'c1', { timeoutMs: 0 }))
  t.notOk(await isHeld(folder, 'c1'))
  t.strictSame(readdirSync(folder), [], 'looking makes no lock')
})

t.test('waiting for the end takes nothing', async t => {
  const folder = t.testdir({})
  const lock = await acquireLock(folder, 'c1', patient)
  const free = waitUntilFree(folder, 'c1', patient)
  await setImmediate()
  await lock.release()
  await free
  await (await acquireLock(folder, 'c1', { timeoutMs: 0 })).release()
  t.strictSame(readdirSync(folder), [])
})

t.test('whoever waits is woken, also if it came while the lock was being taken', async t => {
  const folder = t.testdir({})
  let woken = 0
  for (let round = 0; round < 100; round++) {
    const taking = acquireLock(folder, 'c1', patient)
    const waiting = Array.from({ length: 4 }, async (_none, turns) => {
      for (let turn = 0; turn < turns + (round % 5); turn++) await setImmediate()
      await waitUntilFree(folder, 'c1', patient)
      woken++
    })
    const lock = await taking
    await lock.release()
    await Promise.all(waiting)
  }
  t.equal(woken, 400)
})

interface JunkCase {
  readonly name: string
  readonly target: string
}

const junkCases: readonly JunkCase[] = [
  { name: 'a link to a file', target: '/etc/passwd' },
  { name: 'a link to a name that is not ours', target: 'nopal-short' },
  { name: 'a link to a name of nobody', target: `nopal-${'0'.repeat(32)}` },
]

for (const { name, target } of junkCases) {
  t.test(`in the folder lies ${name}`, async t => {
    const folder = t.testdir({})
    symlinkSync(target, join(folder, 'c1'))
    const lock = await acquireLock(folder, 'c1', patient)
    t.ok(lstatSync(join(folder, 'c1')).isSymbolicLink())
    t.ok(await isHeld(folder, 'c1'))
    await lock.release()
    t.strictSame(readdirSync(folder), [])
  })
}

t.test('in the folder lies a file', async t => {
  const folder = t.testdir({ c1: 'junk' })
  const lock = await acquireLock(folder, 'c1', patient)
  t.ok(await isHeld(folder, 'c1'))
  await lock.release()
})

t.test('in the folder lies a folder: a failure, not a wait', async t => {
  const folder = t.testdir({ c1: { inside: 'kept' } })
  await t.rejects(acquireLock(folder, 'c1', patient), { code: /^(EISDIR|EPERM)$/ })
  t.equal(readFileSync(join(folder, 'c1/inside'), 'utf8'), 'kept')
})

t.test('the folder cannot be made', async t => {
  const root = t.testdir({ file: '' })
  await t.rejects(acquireLock(join(root, 'file'), 'c1', patient), { code: 'ENOTDIR' })
})

t.test('a lock whose entry was taken away goes to whoever comes next', async t => {
  const folder = t.testdir({})
  const first = await acquireLock(folder, 'c1', patient)
  unlinkSync(join(folder, 'c1'))
  const second = await acquireLock(folder, 'c1', { timeoutMs: 0 })
  t.ok(await isHeld(folder, 'c1'))
  await second.release()
  await first.release()
})

t.test('who is bound to a name', async t => {
  const name = `nopal-test-${process.pid}-${process.hrtime.bigint()}`
  const uid = process.getuid?.() ?? 0
  t.notOk(await isBoundByOthers(name, uid + 1), 'nobody')
  const server = createServer()
  await new Promise<void>(resolve => server.listen(`\0${name}`, resolve))
  t.notOk(await isBoundByOthers(name, uid), 'we ourselves')
  t.ok(await isBoundByOthers(name, uid + 1), 'somebody of another account')
  t.notOk(await isBoundByOthers(`${name}x`, uid + 1), 'another name')
  await new Promise(resolve => server.close(resolve))
})
