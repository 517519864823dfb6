import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { STATE_MARK } from '../../../../cni/host/process-identity.ts'
import { ContainerLocks } from '../../../../cni/networks/container-locks.ts'
import { until } from '../../../machine/wait.ts'
import { isRunning, startPlugin, startScript } from '../host/child.ts'

const source = join(import.meta.dirname, '../../../../cni/networks/container-locks.ts')

function locksIn(t: Test) {
  const folder = t.testdir({})
  const killed: number[] = []
  const locks = new ContainerLocks(folder, count => killed.push(count))
  return { folder, locks, killed, files: () => readdirSync(locks.folder) }
}

/** A run of ours that dies with locks in its hands. */
async function dieHolding(t: Test, folder: string, work: string): Promise<void> {
  const holder = startScript(
    t,
    `import { ContainerLocks } from ${JSON.stringify(source)}
    const locks = new ContainerLocks(${JSON.stringify(folder)})
    ${work}
    console.log('held')
    setInterval(() => undefined, 60_000)`,
  )
  t.equal(await holder.line(), 'held')
  await holder.kill()
}

t.test('one container: one command at a time; another container: at once', async t => {
  const { locks } = locksIn(t)
  const order: string[] = []
  const first = await locks.lock('locks-c1')
  const second = locks.lock('locks-c1').then(lock => {
    order.push('second')
    return lock
  })
  const other = await locks.lock('locks-c2')
  order.push('other')
  other.release()
  order.push('release')
  first.release()
  const last = await second
  last.release()
  t.strictSame(order, ['other', 'release', 'second'])
})

t.test('GC waits for every command that has begun', async t => {
  const { locks } = locksIn(t)
  const order: string[] = []
  const held = [await locks.lock('locks-c1'), await locks.lock('locks-c2')]
  for (const lock of held) await lock.begin()
  const gc = locks.lockAll().then(lock => {
    order.push('gc')
    return lock
  })
  for (const lock of held) {
    await setImmediate()
    order.push('release')
    lock.release()
  }
  const all = await gc
  all.release()
  t.strictSame(order, ['release', 'release', 'gc'])
})

t.test('GC does not wait for one that prepares; that one waits for GC before it begins', async t => {
  const { locks, files } = locksIn(t)
  const order: string[] = []
  const slow = await locks.lock('locks-c1')
  const gc = await locks.lockAll()
  const begun = slow.begin().then(() => order.push('begun'))
  await setImmediate()
  order.push('gc ends')
  gc.release()
  await begun
  t.strictSame(order, ['gc ends', 'begun'])
  slow.release()
  t.strictSame(files(), [])
})

t.test('commands wait while GC works', async t => {
  const { locks, files } = locksIn(t)
  const order: string[] = []
  const gc = await locks.lockAll()
  const command = locks.lock('locks-c1').then(async lock => {
    await lock.begin()
    order.push('command')
    return lock
  })
  await setImmediate()
  order.push('gc ends')
  gc.release()
  const lock = await command
  lock.release()
  t.strictSame(order, ['gc ends', 'command'])
  t.strictSame(files(), [])
})

t.test('while GC waits for a slow command, others pass it by', async t => {
  const { locks } = locksIn(t)
  const slow = await locks.lock('slow')
  await slow.begin()
  const order: string[] = []
  const gc = locks.lockAll().then(lock => {
    order.push('gc')
    return lock
  })
  await until('GC to be there', () => existsSync(join(locks.folder, '.gc')))
  const other = await locks.lock('other')
  await other.begin()
  order.push('other')
  other.release()
  slow.release()
  const all = await gc
  all.release()
  t.strictSame(order, ['other', 'gc'])
})

t.test('the plugins of a killed command end before the next of its container', async t => {
  const { folder, locks, files, killed } = locksIn(t)
  await dieHolding(t, folder, `await (await locks.lock('locks-c1')).begin()`)
  const plugin = await startPlugin(t, { CNI_CONTAINERID: 'locks-c1' })
  const stranger = await startPlugin(t, { CNI_CONTAINERID: 'locks-c2' })
  const order: string[] = []
  const next = locks.lock('locks-c1').then(lock => {
    order.push('next')
    return lock
  })
  const other = await locks.lock('locks-c2')
  order.push('other')
  other.release()
  order.push('plugin ends')
  plugin.end()
  const lock = await next
  lock.release()
  t.strictSame(order, ['other', 'plugin ends', 'next'])
  t.ok(isRunning(stranger.pid), "another container's is left alone")
  t.strictSame([killed, files()], [[], []])
})

t.test('the plugins of a killed GC end before anybody begins', async t => {
  const { folder, locks, files } = locksIn(t)
  await dieHolding(t, folder, 'await locks.lockAll()')
  const plugin = await startPlugin(t, { CNI_COMMAND: 'GC', [STATE_MARK]: folder })
  const order: string[] = []
  const begun = Promise.all(
    ['locks-c1', 'locks-c2'].map(async id => {
      const lock = await locks.lock(id)
      await lock.begin()
      order.push('begun')
      lock.release()
    }),
  )
  await until('one of them to wait', () => existsSync(join(locks.folder, '.gc')))
  order.push('plugin ends')
  plugin.end()
  await begun
  t.strictSame(order, ['plugin ends', 'begun', 'begun'])
  t.strictSame(files(), [])
})

t.test('GC waits for the plugins of everybody', async t => {
  const { folder, locks } = locksIn(t)
  const plugin = await startPlugin(t, { CNI_CONTAINERID: 'locks-c1', [STATE_MARK]: folder })
  const order: string[] = []
  const gc = locks.lockAll().then(lock => {
    order.push('gc')
    return lock
  })
  await until('GC to be there', () => existsSync(join(locks.folder, '.gc')))
  order.push('plugin ends')
  plugin.end()
  const lock = await gc
  lock.release()
  t.strictSame(order, ['plugin ends', 'gc'])
})

t.test('a plugin that does not end is killed, and that is said', async t => {
  const { folder, locks, killed } = locksIn(t)
  await dieHolding(t, folder, `await locks.lock('locks-c1')`)
  const plugin = await startPlugin(t, { CNI_CONTAINERID: 'locks-c1' })
  const lock = await locks.lock('locks-c1')
  lock.release()
  t.notOk(isRunning(plugin.pid))
  t.strictSame(killed, [1])
})

t.test('where no lock can be had, those who have it are waited for all the same', async t => {
  const { locks } = locksIn(t)
  const order: string[] = []
  const first = await locks.lock('locks-c1')
  const second = locks.waitFor('locks-c1').then(async lock => {
    await lock.begin()
    order.push('second')
    lock.release()
  })
  await setImmediate()
  order.push('release')
  first.release()
  await second
  t.strictSame(order, ['release', 'second'])
})
