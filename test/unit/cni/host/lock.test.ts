import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { acquireLock, lockState, waitForHolders, waitUntilFree } from '../../../../cni/host/lock.ts'
import { until } from '../../../machine/wait.ts'
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
    lock.release()
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
  t.equal(await lockState(folder, 'c1'), 'held')
  one.release()
  t.equal(await lockState(folder, 'c1'), 'free')
  t.equal(await lockState(folder, 'c2'), 'held')
  other.release()
})

t.test('who comes too late is told so, and the lock stays held', async t => {
  const folder = t.testdir({})
  const lock = await acquireLock(folder, 'c1', patient)
  await t.rejects(acquireLock(folder, 'c1', { timeoutMs: 0 }), { name: 'LockTimeout', code: 'LockTimeout' })
  await t.rejects(waitUntilFree(folder, 'c1', { timeoutMs: 0 }), { code: 'LockTimeout' })
  t.equal(await lockState(folder, 'c1'), 'held')
  lock.release()
  const next = await acquireLock(folder, 'c1', patient)
  next.release()
})

t.test('no two holders have the same name, so taking a dead one away cannot hit a living one', async t => {
  const folder = t.testdir({})
  const names = new Set<string>()
  for (let round = 0; round < 5; round++) {
    const lock = await acquireLock(folder, 'c1', patient)
    for (const name of readdirSync(join(folder, 'c1'))) names.add(name)
    lock.release()
  }
  t.equal(names.size, 5)
})

t.test('a dead holder keeps nothing, and its end is known until what it began is settled', async t => {
  const folder = t.testdir({})
  const holder = holderOf(t, folder)
  t.equal(await holder.line(), 'held')
  await t.rejects(acquireLock(folder, 'c1', { timeoutMs: 0 }), { code: 'LockTimeout' })
  await holder.kill()
  t.equal(await lockState(folder, 'c1'), 'abandoned')
  const next = await acquireLock(folder, 'c1', patient)
  t.ok(next.isUnsettled)
  next.release()
  t.equal(await lockState(folder, 'c1'), 'abandoned', 'the next one did not settle it')
  const last = await acquireLock(folder, 'c1', patient)
  t.ok(last.isUnsettled)
  last.settle()
  t.notOk(last.isUnsettled)
  last.release()
  t.strictSame(readdirSync(folder), [])
  const fresh = await acquireLock(folder, 'c1', patient)
  t.notOk(fresh.isUnsettled)
  fresh.release()
})

t.test('what is left of those who were killed while they waited is swept by the next who lets go', async t => {
  const folder = t.testdir({})
  const lock = await acquireLock(folder, 'c1', patient)
  const waiting = holderOf(t, folder)
  const candidates = () => readdirSync(folder).filter(name => name.startsWith('~'))
  await until('the one who waits', () => candidates().length === 1)
  const other = await acquireLock(folder, 'c2', patient)
  other.release()
  t.equal(candidates().length, 1, 'one that lives is left alone')
  await waiting.kill()
  lock.release()
  t.strictSame(readdirSync(folder), [])
})

t.test('a full queue is not free', async t => {
  const folder = t.testdir({})
  const holder = holderOf(t, folder)
  t.equal(await holder.line(), 'held')
  holder.process.kill('SIGSTOP')
  const [entry = ''] = readdirSync(join(folder, 'c1'))
  const lockFolder = openSync(join(folder, 'c1'), 'r')
  t.teardown(() => closeSync(lockFolder))
  const path = `/proc/self/fd/${lockFolder}/${entry}`
  const crowd = Array.from({ length: 600 }, () => connect(path))
  t.teardown(() => crowd.map(socket => socket.destroy()))
  const refused = crowd.map(
    socket => new Promise<string>(resolve => socket.on('error', error => resolve(error.message))),
  )
  t.match(await Promise.race(refused), /EAGAIN/, 'the queue is full')
  t.equal(await lockState(folder, 'c1'), 'held')
  await t.rejects(acquireLock(folder, 'c1', { timeoutMs: 0 }), { code: 'LockTimeout' })
  await holder.kill()
  const next = await acquireLock(folder, 'c1', patient)
  next.release()
})

t.test('who stands aside holds the lock all the same, and is not waited for', async t => {
  const folder = t.testdir({})
  const lock = await acquireLock(folder, 'c1', { ...patient, aside: true })
  t.equal(await lockState(folder, 'c1'), 'held')
  t.ok(await waitForHolders(folder, 'all', 0))
  lock.stand(false)
  t.notOk(await waitForHolders(folder, 'all', 0))
  t.ok(await waitForHolders(folder, 'c1', 0), 'not one that does not count')
  const waiting = waitForHolders(folder, 'all', 600_000)
  await setImmediate()
  lock.stand(true)
  t.ok(await waiting, 'whoever steps aside is waited for no more')
  lock.release()
  t.strictSame(readdirSync(folder), [])
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
  lock.release()
  await free
})

t.test('to wait for what nobody holds is to go on', async t => {
  const folder = t.testdir({})
  await t.resolves(waitUntilFree(folder, 'c1', { timeoutMs: 0 }))
  t.equal(await lockState(folder, 'c1'), 'free')
  t.strictSame(readdirSync(folder), [], 'looking makes no lock')
})

t.test('waiting for the end takes nothing', async t => {
  const folder = t.testdir({})
  const lock = await acquireLock(folder, 'c1', patient)
  const free = waitUntilFree(folder, 'c1', patient)
  await setImmediate()
  lock.release()
  await free
  const next = await acquireLock(folder, 'c1', { timeoutMs: 0 })
  next.release()
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
    lock.release()
    await Promise.all(waiting)
  }
  t.equal(woken, 400)
})

interface JunkCase {
  readonly name: string
  readonly put: (path: string) => void
}

const junkCases: readonly JunkCase[] = [
  { name: 'a link to a file', put: path => symlinkSync('/etc/passwd', path) },
  { name: 'a link to nothing', put: path => symlinkSync('none', path) },
  { name: 'a file', put: path => writeFileSync(path, 'junk') },
  { name: 'an empty folder, as of a holder that was killed while it let go', put: path => mkdirSync(path) },
]

for (const { name, put } of junkCases) {
  t.test(`in place of the lock lies ${name}`, async t => {
    const folder = t.testdir({})
    put(join(folder, 'c1'))
    t.equal(await lockState(folder, 'c1'), 'free')
    const lock = await acquireLock(folder, 'c1', patient)
    t.equal(await lockState(folder, 'c1'), 'held')
    lock.release()
    t.strictSame(readdirSync(folder), [])
  })
}

t.test("in place of the lock lies somebody's folder: a failure, not a wait", async t => {
  const folder = t.testdir({ c1: { inside: 'kept' } })
  await t.rejects(acquireLock(folder, 'c1', patient), { code: 'LockFault' })
  await t.rejects(lockState(folder, 'c1'), { code: 'LockFault' })
  t.equal(readFileSync(join(folder, 'c1/inside'), 'utf8'), 'kept')
  t.strictSame(readdirSync(folder), ['c1'])
})

t.test('the folder cannot be made', async t => {
  const root = t.testdir({ file: '' })
  await t.rejects(acquireLock(join(root, 'file'), 'c1', patient), { code: 'ENOTDIR' })
})

t.test('a folder with a long path, and a long name', async t => {
  const folder = join(t.testdir({}), 'f'.repeat(200))
  const name = 'c'.repeat(200)
  const lock = await acquireLock(folder, name, patient)
  t.equal(await lockState(folder, name), 'held')
  lock.release()
  t.equal(await lockState(folder, name), 'free')
})

t.test('a lock that was taken away goes to whoever comes next', async t => {
  const folder = t.testdir({})
  const first = await acquireLock(folder, 'c1', patient)
  rmSync(join(folder, 'c1'), { recursive: true })
  const second = await acquireLock(folder, 'c1', { timeoutMs: 0 })
  first.release()
  t.equal(await lockState(folder, 'c1'), 'held', 'and stays there')
  second.release()
  t.strictSame(readdirSync(folder), [])
})

t.test('whoever waits while the folder of locks is taken away gets the lock', async t => {
  const folder = join(t.testdir({}), 'locks')
  const first = await acquireLock(folder, 'c1', patient)
  const second = acquireLock(folder, 'c1', patient)
  await setImmediate()
  renameSync(folder, `${folder}.away`)
  first.release()
  rmSync(`${folder}.away`, { recursive: true })
  const lock = await second
  t.equal(await lockState(folder, 'c1'), 'held')
  lock.release()
})

t.test('only its owner can come near a lock', async t => {
  const folder = join(t.testdir({}), 'locks')
  const lock = await acquireLock(folder, 'c1', patient)
  for (const path of [folder, join(folder, 'c1')]) t.equal(statSync(path).mode & 0o777, 0o700)
  lock.release()
})
