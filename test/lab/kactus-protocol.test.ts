import { basename } from 'node:path'
import t from 'tap'
import { documentOf, KactusBed, programs, type RunOptions } from './kactus-bed.ts'

const versions = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0']

/** A request that must be refused before any plugin runs. Ids are those of the checklist of the CNI specification. */
interface Refusal {
  readonly name: string
  readonly command?: string
  readonly options?: RunOptions
  /** Keys to change in a configuration that is good. */
  readonly more?: Readonly<Record<string, unknown>>
  readonly code: number
  readonly says?: RegExp
}

const bare = { CNI_CONTAINERID: undefined, CNI_NETNS: undefined, CNI_IFNAME: undefined, CNI_PATH: undefined }
const ownNetns = '/proc/self/ns/net'

const refusals: readonly Refusal[] = [
  { name: 'E2: lower case command', command: 'add', options: {}, code: 4 },
  { name: 'E2: unknown command', command: 'FOO', options: {}, code: 4, says: /CNI_COMMAND/ },
  {
    name: 'E3: ADD names all that is missing',
    options: { env: bare },
    code: 4,
    says: /CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_PATH/,
  },
  {
    name: 'E3: DEL needs no netns',
    command: 'DEL',
    options: { env: bare },
    code: 4,
    says: /CNI_CONTAINERID, CNI_IFNAME, CNI_PATH/,
  },
  { name: 'E3: CHECK', command: 'CHECK', options: { env: bare }, code: 4, says: /ID, CNI_NETNS, CNI_IFNAME, CNI_PATH/ },
  { name: 'E3: GC needs the path alone', command: 'GC', options: { env: bare }, code: 4, says: /missing: CNI_PATH$/ },
  {
    name: 'E3: STATUS needs the path alone',
    command: 'STATUS',
    options: { env: bare },
    code: 4,
    says: /missing: CNI_PATH$/,
  },
  ...['', '-a', '.a', 'a/b', '../x', 'a b', 'a\n', 'ä', 'x'.repeat(300)].map(container => ({
    name: `E4: container id ${JSON.stringify(container.slice(0, 9))}`,
    options: { container },
    code: 4,
    says: /CNI_CONTAINERID/,
  })),
  ...['', '.', '..', 'a/b', 'a:b', 'a b', 'a\u00a0b', '1234567890123456', 'ééééééééé'].map(ifname => ({
    name: `E5: interface name ${JSON.stringify(ifname)}`,
    options: { ifname },
    code: 4,
    says: /CNI_IFNAME/,
  })),
  {
    name: 'E4 and E5 are told together',
    options: { container: '-a', ifname: 'a/b' },
    code: 4,
    says: /CNI_CONTAINERID.*CNI_IFNAME/,
  },
  ...['', '../x', '-x', 'a/b', 'a b', 5, null].map(name => ({
    name: `E6: network name ${JSON.stringify(name)}`,
    more: { name },
    code: 7,
  })),
  { name: 'E6: no name', more: { name: undefined }, code: 7 },
  { name: 'E6: empty stdin', options: { conf: '' }, code: 6 },
  { name: 'E6: no JSON', options: { conf: '{"name":' }, code: 6 },
  { name: 'E6: no object', options: { conf: '[]' }, code: 6 },
  { name: 'E7: variables come before stdin', options: { env: bare, conf: '{' }, code: 4 },
  { name: 'E7: name comes before version', more: { name: '', cniVersion: '9.9.9' }, code: 7 },
  {
    name: 'E7: version comes before the rest',
    more: { cniVersion: '9.9.9', delegates: 5 },
    code: 1,
  },
  ...['9.9.9', '0.4', '1.1', '1.1.0 ', 'v1.0.0', '1.2.0'].map(cniVersion => ({
    name: `V3: version ${JSON.stringify(cniVersion)}`,
    more: { cniVersion },
    code: 1,
  })),
  ...[5, [], {}, true].map(cniVersion => ({
    name: `V3: version ${JSON.stringify(cniVersion)}`,
    more: { cniVersion },
    code: 6,
  })),
  { name: 'A7: ADD into the own namespace', options: { netns: ownNetns }, code: 8 },
  { name: 'A7: DEL from the own namespace', command: 'DEL', options: { netns: ownNetns }, code: 8 },
  { name: 'A7: override must be 1 or true', options: { netns: ownNetns, env: { CNI_NETNS_OVERRIDE: 'yes' } }, code: 8 },
  { name: 'C1: CHECK before 0.4.0', command: 'CHECK', more: { cniVersion: '0.3.1' }, code: 1 },
  { name: 'C1: CHECK without prevResult', command: 'CHECK', options: {}, code: 7 },
  {
    name: 'C1: CHECK of what is not attached',
    command: 'CHECK',
    more: { prevResult: { dns: {} } },
    code: 3,
  },
  { name: 'S1: STATUS before 1.1.0', command: 'STATUS', options: {}, code: 1 },
  { name: 'G1: GC before 1.1.0', command: 'GC', options: {}, code: 1 },
  { name: 'X1: type with a path', more: { delegates: [{ type: '../fake-a' }] }, code: 7 },
  { name: 'X1: type from the root', more: { delegates: [{ type: '/bin/true' }] }, code: 7 },
  { name: 'X1: type is a folder', more: { delegates: [{ type: 'held' }] }, code: 106 },
  { name: 'X1: type is not installed', more: { delegates: [{ type: 'none' }] }, code: 106 },
  {
    name: 'X1: one of a chain is not installed',
    more: { delegates: [{ name: 'c', plugins: [{ type: 'fake-a' }, { type: 'none' }] }] },
    code: 106,
  },
  { name: 'X4: pair without =', options: { args: 'IgnoreUnknown' }, code: 4 },
  { name: 'X4: pair with two =', options: { args: 'IgnoreUnknown=1;A=b=c' }, code: 4 },
  { name: 'X4: unknown key', options: { args: 'FOO=1' }, code: 4, says: /FOO/ },
  { name: 'X4: unknown key, not ignored', options: { args: 'IgnoreUnknown=0;FOO=1' }, code: 4 },
  { name: 'no delegates', more: { delegates: [] }, code: 7 },
  {
    name: 'two masters',
    more: {
      delegates: [
        { type: 'fake-a', masterPlugin: true },
        { type: 'fake-b', name: 'b', masterplugin: true },
      ],
    },
    code: 7,
  },
  {
    name: 'a second delegate without a name',
    more: { delegates: [{ type: 'fake-a' }, { type: 'fake-b' }] },
    code: 7,
  },
  { name: 'a relative state folder', more: { cniDir: 'x' }, code: 7 },
]

for (const program of programs) {
  t.test(basename(program), async t => {
    const bed = await KactusBed.make(t, program)
    for (const row of refusals) {
      const answer = await bed.run(row.command ?? 'ADD', { conf: bed.conf(row.more), ...row.options })
      const said = documentOf(answer)
      t.match({ exit: answer.code, ...said }, { exit: 1, code: row.code, cniVersion: /./ }, row.name)
      t.match(said.msg, row.says ?? /./, `${row.name}: message`)
      t.equal(answer.stdout.split('\n').length, 2, `${row.name}: one line`)
    }
    t.same(bed.calls(), [], 'no plugin ran')
    t.same(bed.state(), [], 'nothing was left')

    t.test('V1, V2: VERSION', async t => {
      const rows = [
        { conf: '{"cniVersion":"1.1.0"}', says: '1.1.0' },
        { conf: '{"cniVersion":"0.4.0"}', says: '0.4.0' },
        { conf: '{"cniVersion":"9.9.9"}', says: '1.1.0' },
        { conf: '', says: '1.1.0' },
        { conf: 'rubbish', says: '1.1.0' },
      ]
      for (const { conf, says } of rows) {
        const answer = await bed.run('VERSION', { conf, env: bare })
        t.same([answer.code, answer.stderr], [0, ''], conf)
        t.same(documentOf(answer), { cniVersion: says, supportedVersions: versions }, conf)
      }
      const dummies = { CNI_NETNS: 'dummy', CNI_IFNAME: 'dummy', CNI_PATH: 'dummy' }
      t.equal((await bed.run('VERSION', { conf: '{"cniVersion":"1.0.0"}', env: dummies })).code, 0, 'as libcni asks')
    })

    t.test('E1: without a command it says what it is', async t => {
      const answer = await bed.run(undefined)
      t.same([answer.code, answer.stdout], [0, ''])
      t.match(answer.stderr, /kactus.*\n.*0\.1\.0.*1\.1\.0/)
    })

    t.test('V3, V4: no version means 0.1.0', async t => {
      await bed.order('fake-a', 'ADD', 'out', { ip4: { ip: '10.0.0.2/24' }, dns: {} })
      for (const cniVersion of [undefined, null, '']) {
        const answer = await bed.run('ADD', { conf: bed.conf({ cniVersion }) })
        t.match(documentOf(answer), { cniVersion: '0.1.0', ip4: { ip: '10.0.0.2/24' } }, String(cniVersion))
        t.equal((await bed.run('DEL', { conf: bed.conf({ cniVersion }) })).code, 0)
      }
      await bed.heal('fake-a', 'ADD')
    })

    t.test('A7: the override lets the own namespace through', async t => {
      for (const word of ['1', 'true', 'TRUE']) {
        const options = { netns: ownNetns, env: { CNI_NETNS_OVERRIDE: word } }
        t.equal((await bed.run('ADD', options)).code, 0, word)
        t.equal((await bed.run('DEL', options)).code, 0, word)
      }
    })
  })
}
