import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { documentOf, KactusBed, programs } from './kactus-bed.ts'
import { HeldNetns } from './kactus-netns.ts'

const green = 'net9f27410725ab'
const blue = 'net48d6215903df'
const everything = [`DEL fake-b ${green}`, `DEL fake-c ${blue}`, 'DEL fake-a eth0'].toSorted()

async function attached(t: Test, program: string): Promise<KactusBed> {
  const bed = await KactusBed.make(t, program)
  bed.putNetwork('green')
  bed.putNetwork('blue', { type: 'fake-c' })
  bed.putPod([{ name: 'green' }, { name: 'blue' }])
  const answer = await bed.add()
  t.equal(answer.code, 0, answer.stdout)
  await bed.forgetCalls()
  return bed
}

/** Runs a program where the state folder is a full disk with the same content, which goes with it. */
const onFullDisk = (state: string) => [
  ...['unshare', '--mount', '--propagation', 'private', 'sh', '-ec'],
  `mkdir /tmp/.$$ && cp -a "$0/." /tmp/.$$ && mount -t tmpfs -o size=128k,nr_inodes=64,mode=0700 tmpfs "$0"
   cp -a /tmp/.$$/. "$0" && rm -r /tmp/.$$
   cat /dev/zero >"$0/fill" 2>/dev/null || true
   n=0; while touch "$0/fill.$n" 2>/dev/null; do n=$((n+1)); done
   exec "$@"`,
  state,
]

/** Runs a program where the state folder can only be read. */
const readOnly = (state: string) => [
  ...['unshare', '--mount', '--propagation', 'private', 'sh', '-ec'],
  'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"',
  state,
]

const places = { 'on a full disk': onFullDisk, 'in a folder that can only be read': readOnly }

interface Intruder {
  readonly name: string
  readonly put: (path: string) => void
}

const intruders: readonly Intruder[] = [
  { name: 'a folder', put: path => mkdirSync(join(path, 'inside'), { recursive: true }) },
  { name: 'a pipe', put: path => execFileSync('mkfifo', [path]) },
  {
    name: 'a link to a pipe',
    put: path => [execFileSync('mkfifo', [`${path}.pipe`]), symlinkSync(`${path}.pipe`, path)],
  },
  {
    name: 'a socket of nobody',
    put: path => {
      const script = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
      spawnSync(process.execPath, ['-e', script, path])
    },
  },
]

for (const program of programs) {
  t.test(basename(program), async t => {
    for (const [name, prefix] of Object.entries(places)) {
      t.test(`${name} DEL detaches all`, async t => {
        const bed = await attached(t, program)
        bed.prefix = prefix(bed.cniDir)
        const answer = await bed.del()
        t.same([answer.code, answer.stdout], [0, ''], answer.stderr)
        t.match(answer.stderr, /cannot be (noted|locked|written|removed)/, 'what was not written is told')
        t.same(bed.trace().toSorted(), everything)
        t.same(bed.held(), [])
        bed.prefix = []
        t.equal((await bed.del()).code, 0)
        t.same([bed.held(), bed.state()], [[], []])
      })

      t.test(`${name} DEL names every network that fails, and detaches the others`, async t => {
        const bed = await attached(t, program)
        bed.prefix = prefix(bed.cniDir)
        await bed.fail('fake-b', 'DEL', 61, 'green will not')
        await bed.fail('fake-c', 'DEL', 62, 'blue will not')
        const said = documentOf(await bed.del())
        t.ok(said.code === 61 || said.code === 62)
        t.match(said, { msg: /green will not/, details: /default\/green/ })
        t.match(said, { msg: /blue will not/, details: /default\/blue/ })
        t.same(bed.held().length, 2)
        bed.prefix = []
        for (const plugin of ['fake-b', 'fake-c']) await bed.heal(plugin, 'DEL')
        t.equal((await bed.del()).code, 0)
        t.same([bed.held(), bed.state()], [[], []])
      })

      t.test(`${name} nothing is attached that could not be detached`, async t => {
        const bed = await KactusBed.make(t, program)
        bed.prefix = prefix(bed.cniDir)
        t.match(documentOf(await bed.run('ADD')), { code: 100, msg: /cannot be/ })
        t.same([bed.trace(), bed.held()], [[], []])
      })
    }

    for (const { name, put } of intruders) {
      t.test(`a record that is ${name}: DEL goes by the configuration, and moves it away`, async t => {
        const bed = await attached(t, program)
        const file = join(bed.cniDir, 'records', `${bed.container}.json`)
        rmSync(file)
        put(file)
        const answer = await bed.del()
        t.same([answer.code, answer.stdout], [0, ''])
        t.match(answer.stderr, /damaged/)
        t.same(bed.trace(), ['DEL fake-a eth0'])
        t.notOk(existsSync(file))
        t.equal(readdirSync(join(bed.cniDir, 'damaged')).length, 1)
      })

      t.test(`a record that is ${name} keeps neither GC nor ADD`, async t => {
        const bed = await attached(t, program)
        put(join(bed.cniDir, 'records/other.json'))
        const newest = { cniVersion: '1.1.0' }
        const conf = bed.conf({ ...newest, delegates: [{ type: 'fake-a', name: 'main', ...newest }] })
        const answer = await bed.run('GC', { conf: { ...conf, 'cni.dev/valid-attachments': [] } })
        t.same([answer.code, answer.stdout], [0, ''])
        t.same(bed.held(), [])
        put(join(bed.cniDir, `records/${bed.container}.json`))
        t.equal((await bed.add()).code, 0)
        t.equal((await bed.del()).code, 0)
        t.same(bed.held(), [])
      })
    }

    t.test('the place of the record is taken where nothing can be moved: DEL all the same', async t => {
      const bed = await attached(t, program)
      const file = join(bed.cniDir, 'records', `${bed.container}.json`)
      rmSync(file)
      execFileSync('mkfifo', [file])
      bed.prefix = readOnly(bed.cniDir)
      t.equal((await bed.del()).code, 0)
      t.same(bed.trace(), ['DEL fake-a eth0'])
    })

    t.test('a namespace that is gone or is none is handed on as empty; one that is there as it came', async t => {
      const bed = await attached(t, program)
      const netns = await HeldNetns.make(t)
      t.equal((await bed.del()).code, 0)
      const file = join(bed.folder, 'file')
      writeFileSync(file, '')
      const rows = [
        { netns: join(bed.folder, 'none'), want: '' },
        { netns: file, want: '' },
        { netns: bed.folder, want: '' },
        { netns: netns.path, want: netns.path },
      ]
      for (const { netns, want } of rows) {
        await bed.forgetCalls()
        t.equal((await bed.add()).code, 0)
        t.equal((await bed.del({ netns })).code, 0)
        const given = bed.calls().filter(({ phase, command }) => phase === 'B' && command === 'DEL')
        t.same(new Set(given.map(call => call.netns)), new Set([want]), netns)
      }
    })

    t.test('an ADD that was killed before its first record was whole leaves nothing', async t => {
      const bed = await attached(t, program)
      const half = (container: string) => join(bed.cniDir, 'records', `${container}.json.tmp`)
      for (const container of ['by-del', 'by-gc', bed.container]) writeFileSync(half(container), '{"schema":1,"cont')
      t.equal((await bed.del({ container: 'by-del' })).code, 0)
      t.same(bed.state().length, 3)
      const newest = { cniVersion: '1.1.0' }
      const conf = bed.conf({ ...newest, delegates: [{ type: 'fake-a', name: 'main', ...newest }] })
      const valid = [{ containerID: bed.container, ifname: 'eth0' }]
      t.equal((await bed.run('GC', { conf: { ...conf, 'cni.dev/valid-attachments': valid } })).code, 0)
      t.same(bed.state().length, 2, 'what a living container has is its own')
      t.equal((await bed.del()).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })
  })
}
