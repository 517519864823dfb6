import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { makeFolder, syncFolder, writeFileAtomic } from '../../../../cni/host/files.ts'

t.test('a new file, and one in place of an old', async t => {
  const folder = t.testdir({})
  const path = join(folder, 'file')
  await writeFileAtomic(path, 'a longer first content')
  await writeFileAtomic(path, Buffer.from('second'))
  t.equal(readFileSync(path, 'utf8'), 'second')
  t.strictSame(readdirSync(folder), ['file'])
})

interface ModeCase {
  readonly name: string
  readonly options: { readonly mode?: number }
  readonly want: number
}

const modeCases: readonly ModeCase[] = [
  { name: 'unless told', options: {}, want: 0o644 },
  { name: 'secret', options: { mode: 0o600 }, want: 0o600 },
  { name: 'executable', options: { mode: 0o755 }, want: 0o755 },
]

for (const { name, options, want } of modeCases) {
  t.test(`permissions ${name}, whatever the umask`, async t => {
    const path = join(t.testdir({ file: '' }), 'file')
    const before = process.umask(0o077)
    try {
      await writeFileAtomic(path, 'x', options)
    } finally {
      process.umask(before)
    }
    t.equal(statSync(path).mode & 0o777, want)
  })
}

t.test('a failure leaves all as it was', async t => {
  const folder = t.testdir({ target: { inside: 'kept' } })
  await t.rejects(writeFileAtomic(join(folder, 'target'), 'x'), { code: 'EISDIR' })
  t.strictSame(readdirSync(folder), ['target'])
  t.equal(readFileSync(join(folder, 'target/inside'), 'utf8'), 'kept')
})

t.test('no folder, no file', async t => {
  const folder = t.testdir({})
  await t.rejects(writeFileAtomic(join(folder, 'none/file'), 'x'), { code: 'ENOENT' })
  t.strictSame(readdirSync(folder), [])
})

t.test('what a killed writer left under its own temporary name is replaced', async t => {
  const folder = t.testdir({ 'file.tmp': 'a long rest of another content' })
  await writeFileAtomic(join(folder, 'file'), 'new', { temporary: join(folder, 'file.tmp'), mode: 0o600 })
  t.equal(readFileSync(join(folder, 'file'), 'utf8'), 'new')
  t.equal(statSync(join(folder, 'file')).mode & 0o777, 0o600)
  t.strictSame(readdirSync(folder), ['file'])
})

t.test('a link in place of the temporary file is not followed', async t => {
  const folder = t.testdir({ victim: 'untouched' })
  symlinkSync(join(folder, 'victim'), join(folder, 'file.tmp'))
  await t.rejects(writeFileAtomic(join(folder, 'file'), 'x', { temporary: join(folder, 'file.tmp') }), {
    code: 'ELOOP',
  })
  t.equal(readFileSync(join(folder, 'victim'), 'utf8'), 'untouched')
})

t.test('a link in place of the file is replaced, not followed', async t => {
  const folder = t.testdir({ victim: 'untouched' })
  symlinkSync(join(folder, 'victim'), join(folder, 'file'))
  await writeFileAtomic(join(folder, 'file'), 'new')
  t.equal(readFileSync(join(folder, 'victim'), 'utf8'), 'untouched')
  t.equal(readFileSync(join(folder, 'file'), 'utf8'), 'new')
})

t.test('writers side by side: a reader finds one of the contents, whole', async t => {
  const folder = t.testdir({})
  const path = join(folder, 'file')
  writeFileSync(path, 'a'.repeat(50_000))
  const seen = new Set<string>()
  const look = () => {
    const content = readFileSync(path, 'utf8')
    seen.add(`${content.length} ${new Set(content).size}`)
  }
  const write = (letter: string) => writeFileAtomic(path, letter.repeat(50_000)).then(look)
  await Promise.all([...'bcdefghij'].map(write))
  t.strictSame([...seen], ['50000 1'])
  t.strictSame(readdirSync(folder), ['file'], 'no temporary file stays')
})

t.test('a folder and those above it', async t => {
  const root = t.testdir({ file: '' })
  await makeFolder(join(root, 'a/b/c'))
  t.equal(statSync(join(root, 'a/b')).mode & 0o777, 0o700)
  await makeFolder(join(root, 'a/b/c'))
  await Promise.all(Array.from({ length: 8 }, () => makeFolder(join(root, 'x/y/z'))))
  t.ok(statSync(join(root, 'x/y/z')).isDirectory())
})

t.test('a folder that cannot be', async t => {
  const root = t.testdir({ file: '' })
  await t.rejects(makeFolder(join(root, 'file')), { code: 'EEXIST' })
  await t.rejects(makeFolder(join(root, 'file/a/b')), { code: 'ENOTDIR' })
  await t.rejects(makeFolder('/proc/none/such'), { code: 'ENOENT' })
})

t.test('only a folder can be synced', async t => {
  const root = t.testdir({ file: '' })
  await mkdir(join(root, 'folder'))
  await t.resolves(syncFolder(join(root, 'folder')))
  await t.rejects(syncFolder(join(root, 'file')), { code: 'ENOTDIR' })
  await t.rejects(syncFolder(join(root, 'none')), { code: 'ENOENT' })
})
