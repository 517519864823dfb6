import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isOwnProgram } from '../../../../cni/host/own-program.ts'

t.test('our own executable, by its path or a link, and nothing else', async t => {
  const folder = t.testdir({ other: '' })
  symlinkSync(process.execPath, join(folder, 'link'))
  symlinkSync(join(folder, 'link'), join(folder, 'link-to-link'))
  symlinkSync('/none/such', join(folder, 'dead'))
  for (const path of [process.execPath, join(folder, 'link'), join(folder, 'link-to-link')])
    t.ok(isOwnProgram(path), path)
  for (const path of ['other', 'dead', 'absent']) t.notOk(isOwnProgram(join(folder, path)), path)
})
