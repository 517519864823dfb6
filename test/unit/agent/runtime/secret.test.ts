import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { readSecret } from '../../../../agent/runtime/secret.ts'

t.test('of the settings, unless there is a file; the file is followed', async t => {
  const file = join(t.testdir({ token: 'first\n' }), 'token')
  t.equal(await readSecret({ text: 'plain', file: undefined }), 'plain')
  t.equal(await readSecret({ text: 'plain', file }), 'first')
  await writeFile(file, 'second')
  t.equal(await readSecret({ text: 'plain', file }), 'second')
  await writeFile(file, '\n')
  await t.rejects(readSecret({ text: 'plain', file }), {
    code: 'NoSecret',
    message: `the secret's file ${file} is empty`,
  })
  await rm(file)
  await t.rejects(readSecret({ text: 'plain', file }), {
    code: 'NoSecret',
    message: `the secret's file ${file} cannot be read (ENOENT)`,
  })
})
