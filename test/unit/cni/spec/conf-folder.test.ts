import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import t from 'tap'
import { type ConfFile, type FollowLinks, readConfFolder, readFirstConf } from '../../../../cni/spec/conf-folder.ts'

/** `name kind`, and what is said of it. */
async function describe(folder: string, follow?: FollowLinks): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const file of readConfFolder(folder, follow)) {
    lines.push([file.path.slice(folder.length + 1), file.kind, saidOf(file)].filter(Boolean).join(' '))
  }
  return lines
}

function saidOf(file: ConfFile): string {
  if (file.kind === 'network') return `${file.list.name}: ${file.list.plugins.map(({ type }) => type).join(' ')}`
  if (file.kind === 'loopback') return ''
  return file.error instanceof Error ? file.error.message : String(file.error)
}

interface Case {
  readonly name: string
  readonly files: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly want: readonly string[]
}

const list = '{"name":"net","plugins":[{"type":"bridge"}]}'
const single = '{"name":"one","type":"bridge"}'

const cases: readonly Case[] = [
  {
    name: 'in the order of names, each by its ending',
    files: { '30.conf': single, '20.conflist': list, '10.json': single, '40.txt': list, '05.conflist.bak': list },
    want: ['10.json network one: bridge', '20.conflist network net: bridge', '30.conf network one: bridge'],
  },
  {
    name: 'what editors leave',
    files: {
      '10.conflist~': list,
      '.10.conflist.swp': list,
      '#10.conflist#': list,
      '4913': list,
      sedB7xQ2: list,
      '10.conflist.nopal-new': list,
    },
    want: [],
  },
  {
    name: 'a hidden file and one that is all ending',
    files: { '.a.conf': single, '.conf': single },
    want: ['.a.conf network one: bridge', '.conf network one: bridge'],
  },
  {
    name: 'a byte order mark, which is no JSON to libcni: for good, not half-written',
    files: { '10.conflist': `\ufeff${list}`, '20.conflist': list },
    want: ['10.conflist refused begins with a byte order mark', '20.conflist network net: bridge'],
  },
  { name: 'a folder named like a list', files: { '05-flannel.conflist': { 'x.conf': single } }, want: [] },
  {
    name: 'a list in a .conf, or in a .json',
    files: { '100-crio-bridge.conf': list, '200.json': list },
    want: [
      '100-crio-bridge.conf refused holds a list, but is not named .conflist',
      '200.json refused holds a list, but is not named .conflist',
    ],
  },
  {
    name: 'a single plugin in a .conflist',
    files: { '10.conflist': single },
    want: ['10.conflist refused is named .conflist and has no "plugins"'],
  },
  {
    name: 'plugins that are a key of a single plugin',
    files: { '10.conf': '{"name":"n","type":"meta","plugins":[{"type":"bridge"}]}' },
    want: ['10.conf network n: meta'],
  },
  {
    name: 'whole documents that libcni refuses',
    files: {
      '1.conflist': '{"plugins":[{"type":"bridge"}]}',
      '2.conflist': '{"name":"n","plugins":[]}',
      '3.conflist': '{"name":"n","plugins":[{"type":"bridge"},{}]}',
      '4.conflist': '{"name":"n","cniVersion":1,"plugins":[{"type":"bridge"}]}',
      '5.conf': '{"name":"n"}',
      '6.conf': '[]',
      '7.conf': '{"name":"n","type":7}',
    },
    want: [
      '1.conflist refused has no name',
      '2.conflist refused has no list of plugins',
      '3.conflist refused has a plugin without a type',
      '4.conflist refused has a cniVersion that is no text',
      '5.conf refused names no plugin ("type")',
      '6.conf refused is no JSON object',
      '7.conf refused names no plugin ("type")',
    ],
  },
  {
    name: 'loopback alone',
    files: {
      '99-loopback.conf': '{"name":"lo","type":"loopback"}',
      '98.conflist': '{"name":"lo","plugins":[{"type":"loopback"}]}',
    },
    want: ['98.conflist loopback', '99-loopback.conf loopback'],
  },
  {
    name: 'plugins in a folder of the name follow those of the list',
    files: {
      net: { 'b.conf': '{"type":"b"}', 'a.conf': '{"type":"a"}', 'c.txt': 'none' },
      '1-open.conflist': list,
      '2-shut.conflist': '{"name":"net","loadOnlyInlinedPlugins":"true","plugins":[{"type":"bridge"}]}',
      '3-bare.conflist': '{"name":"net"}',
      '4-single.conf': '{"name":"net","type":"bridge"}',
    },
    want: [
      '1-open.conflist network net: bridge a b',
      '2-shut.conflist network net: bridge',
      '3-bare.conflist network net: a b',
      '4-single.conf network net: bridge',
    ],
  },
  {
    name: 'a plugin without a type in such a folder',
    files: { net: { 'a.conf': '{}' }, '10.conflist': list },
    want: ['10.conflist refused takes a plugin without a type from net/a.conf'],
  },
]

for (const { name, files, want } of cases) {
  t.test(`a folder: ${name}`, async t => {
    t.strictSame(await describe(t.testdir({ ...files })), want)
  })
}

t.test('a folder: what cannot be read, or not be obeyed, is told of', async t => {
  const folder = t.testdir({
    '1.conf': '{"name":',
    '2.conflist': '',
    '3.conf': '{"name":"n","type":"../bridge"}',
    '4.conflist': '{"name":"../net","plugins":[{"type":"bridge"}]}',
    '5.conf': '{"name":"n","type":"bridge","cniVersion":"9.9.9"}',
    '6.conf': '{"type":"bridge"}',
  })
  const kinds = (await describe(folder)).map(line => line.split(' ').slice(0, 2).join(' '))
  t.strictSame(
    kinds,
    ['1.conf', '2.conflist', '3.conf', '4.conflist', '5.conf', '6.conf'].map(file => `${file} unreadable`),
  )
})

t.test('a folder: sockets, pipes and links that lead nowhere are no files', async t => {
  const folder = t.testdir({ 'real.txt': list })
  const server = createServer()
  // By a link to the folder: the path of a socket may have no more than 107 bytes.
  const short = await mkdtemp(join(tmpdir(), 'conf-'))
  await symlink(folder, join(short, 'f'))
  await new Promise<void>(resolve => server.listen(join(short, 'f/10.conflist'), resolve))
  t.teardown(async () => {
    server.close()
    await rm(short, { recursive: true })
  })
  execFileSync('mkfifo', [join(folder, '20.conflist')])
  await symlink('nowhere', join(folder, '.#30.conflist'))
  await symlink('40.conflist', join(folder, '40.conflist'))
  await symlink('real.txt/x', join(folder, '50.conflist'))
  t.strictSame(await describe(folder), [])
  await symlink('real.txt', join(folder, '60.conflist'))
  t.strictSame(await describe(folder), ['60.conflist network net: bridge'])
})

t.test('a folder: links are followed as the caller says, and what was read is known', async t => {
  const folder = t.testdir({ store: { 'x.conflist': list, 'a.conf': '{"type":"a"}' }, conf: { net: {} } })
  const conf = join(folder, 'conf')
  await symlink('/store/x.conflist', join(conf, '10.conflist'))
  await symlink('/store/a.conf', join(conf, 'net/10.conf'))
  const targets: Readonly<Record<string, string>> = { '10.conflist': 'x.conflist', '10.conf': 'a.conf' }
  const follow = (path: string) => {
    const target = targets[basename(path)]
    return target === undefined ? path : join(folder, 'store', target)
  }
  t.strictSame(await describe(conf), [])
  t.strictSame(await describe(conf, follow), ['10.conflist network net: bridge a'])
  t.strictSame(
    (await readFirstConf(conf, { follow }))?.sources,
    ['store/x.conflist', 'store/a.conf'].map(file => join(folder, file)),
  )
})

t.test('the first network of a folder counts, and what comes before it is told of', async t => {
  const folder = t.testdir({
    '10-broken.conf': '{"name":',
    '12-list.json': '[]',
    '15-lo.conf': '{"name":"lo","type":"loopback"}',
    '20-net.conflist': list,
    '30-late.conf': '{',
  })
  const faults: string[] = []
  const found = await readFirstConf(folder, { onFault: path => faults.push(path.slice(folder.length + 1)) })
  t.equal(found?.path, join(folder, '20-net.conflist'))
  t.strictSame(faults, ['10-broken.conf', '12-list.json'])
})

t.test('a folder that is missing, or no folder, holds none', async t => {
  const folder = t.testdir({ file: '' })
  for (const path of [join(folder, 'none'), join(folder, 'file'), folder]) {
    t.equal(await readFirstConf(path), undefined)
  }
  await writeFile(join(folder, 'x.conf'), single)
  t.equal((await readFirstConf(folder))?.list.name, 'one')
})
