import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isNetns, isOwnNetns } from '../../../../cni/host/netns.ts'

t.test('only what leads to our own network namespace is it', async t => {
  const folder = t.testdir({ file: '' })
  symlinkSync('/proc/self/ns/net', join(folder, 'link'))
  t.ok(await isOwnNetns('/proc/self/ns/net'))
  t.ok(await isOwnNetns(`/proc/${process.pid}/ns/net`))
  t.ok(await isOwnNetns(join(folder, 'link')))
  for (const other of ['', join(folder, 'file'), join(folder, 'none'), '/proc/self/ns/uts', 'a\0b']) {
    t.notOk(await isOwnNetns(other), JSON.stringify(other))
  }
})

t.test('what is a namespace, and what is not', async t => {
  const folder = t.testdir({ file: '', folder: {} })
  symlinkSync('/proc/self/ns/net', join(folder, 'link'))
  for (const path of ['/proc/self/ns/net', join(folder, 'link')]) t.ok(isNetns(path), path)
  for (const path of ['', folder, join(folder, 'file'), join(folder, 'none'), '/dev/null', 'a\0b', '/proc/0/ns/net']) {
    t.notOk(isNetns(path), JSON.stringify(path))
  }
})
