import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { until } from '../machine/wait.ts'
import { KactusBed, programs } from './kactus-bed.ts'
import { looksAround } from './patience.ts'

async function bedOfOne(t: Test, program: string): Promise<KactusBed> {
  const bed = await KactusBed.make(t, program)
  bed.putNetwork('green')
  bed.putPod([{ name: 'green' }])
  // As on a node: what is above the locks may be looked into.
  for (const folder of [bed.folder, bed.cniDir]) chmodSync(folder, 0o755)
  return bed
}

const nobody = { uid: 65534, gid: 65534 }

/** Tries, as a user without rights, to connect to, bind and list; says how each try ended, and keeps what it got. */
const intruder = `
  import { createServer, connect } from 'node:net'
  import { readdirSync } from 'node:fs'
  const [folder, ...names] = process.argv.slice(1)
  const told = (socket, event) => new Promise(done => {
    socket.once('error', error => done(error.code))
    socket.once(event, () => done('ok'))
  })
  const tries = {}
  try { tries.list = String(readdirSync(folder)) } catch (error) { tries.list = error.code }
  for (const name of names) {
    const shown = name.replace('\\0', '@')
    tries['connect ' + shown] = await told(connect(name), 'connect')
    tries['bind ' + shown] = await told(createServer().listen(name), 'listening')
  }
  console.log(JSON.stringify(tries))
  setInterval(() => undefined, 60_000)`

async function intrude(t: Test, folder: string, names: readonly string[]): Promise<Record<string, string>> {
  const args = ['--input-type=module', '-e', intruder, folder, ...names.map(name => name.replace('\0', '@'))]
  // A zero byte does not survive a command line.
  args[2] = intruder.replace('process.argv.slice(1)', `process.argv.slice(1).map(name => name.replace(/^@/, '\\0'))`)
  const child = spawn(process.execPath, args, { ...nobody, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  return JSON.parse(String(line))
}

/** Names by which somebody may look for a lock: its paths, what the kernel shows to everybody, abstract ones. */
function namesOf(
  bed: KactusBed,
  lock: string,
): { readonly secret: readonly string[]; readonly shown: readonly string[] } {
  const [entry = ''] = readdirSync(join(bed.cniDir, 'locks', lock))
  const table = readFileSync('/proc/net/unix', 'utf8').split('\n')
  const paths = table.filter(line => line.includes(entry)).map(line => line.split(' ').at(-1) ?? '')
  const abstract = [entry, lock, ...paths].map(name => `\0${name}`)
  return { secret: [join(bed.cniDir, 'locks', lock, entry)], shown: [...abstract, ...paths] }
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'close')
}

/** The waiting commands: each has something ready that needs only the lock's name. */
function waiting(bed: KactusBed): number {
  const folder = join(bed.cniDir, 'locks')
  return existsSync(folder) ? readdirSync(folder).filter(name => name.startsWith('~')).length : 0
}

for (const program of programs) {
  t.test(basename(program), async t => {
    t.test("a container's lock: nobody but root can come near it, nor take its names after a kill", async t => {
      const bed = await bedOfOne(t, program)
      await bed.hold('fake-a', 'ADD')
      const add = await bed.startHeldAdd('fake-a')
      const { secret, shown } = namesOf(bed, bed.container)
      t.same(await intrude(t, join(bed.cniDir, 'locks'), secret), {
        list: 'EACCES',
        [`connect ${secret[0]}`]: 'EACCES',
        [`bind ${secret[0]}`]: 'EACCES',
      })
      const tries = await intrude(t, join(bed.cniDir, 'locks'), shown)
      for (const [name, outcome] of Object.entries(tries)) {
        if (name.startsWith('connect')) t.not(outcome, 'ok', name)
      }
      await killed(add.child)
      process.kill(add.call.pid, 'SIGKILL')
      t.equal((await bed.del()).code, 0)
      await bed.cancel('fake-a', 'ADD', 'hold')
      t.equal((await bed.add()).code, 0)
      t.equal((await bed.del()).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('the lock of a GC that was killed: whoever takes its names keeps nobody waiting', async t => {
      const bed = await bedOfOne(t, program)
      const newest = { cniVersion: '1.1.0' }
      const conf = bed.conf({ ...newest, delegates: [{ type: 'fake-a', name: 'main', ...newest }] })
      await bed.hold('fake-a', 'GC')
      const gc = bed.start('GC', { conf: { ...conf, 'cni.dev/valid-attachments': [] } })
      const call = await bed.waitForCall({ phase: 'H', command: 'GC' })
      const { secret, shown } = namesOf(bed, '.gc')
      await intrude(t, join(bed.cniDir, 'locks'), [...secret, ...shown])
      await killed(gc.child)
      process.kill(call.pid, 'SIGKILL')
      await intrude(t, join(bed.cniDir, 'locks'), [...secret, ...shown])
      t.equal((await bed.add({ conf })).code, 0)
      t.equal((await bed.del({ conf })).code, 0)
      await bed.cancel('fake-a', 'GC', 'hold')
      t.equal((await bed.run('GC', { conf: { ...conf, 'cni.dev/valid-attachments': [] } })).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('a full queue is not free', async t => {
      const bed = await bedOfOne(t, program)
      t.equal((await bed.add()).code, 0)
      await bed.hold('fake-a', 'DEL')
      const first = bed.start('DEL', { args: bed.args() })
      await bed.waitForCall({ phase: 'H', command: 'DEL' })
      await bed.waitForCall({ phase: 'E', command: 'DEL', plugin: 'fake-b' })
      first.child.kill('SIGSTOP')
      const [entry = ''] = readdirSync(join(bed.cniDir, 'locks', bed.container))
      const crowd = Array.from({ length: 700 }, () => connect(join(bed.cniDir, 'locks', bed.container, entry)))
      t.teardown(() => crowd.map(socket => socket.destroy()))
      const refused = crowd.map(socket => new Promise(done => socket.once('error', done)))
      t.match(await Promise.race(refused), { code: 'EAGAIN' }, 'the queue is full')
      await bed.forgetCalls()
      const second = bed.start('DEL', { args: bed.args() })
      await until('the second one to wait', () => waiting(bed) === 1)
      await looksAround(second.child)
      t.same(bed.calls(), [], 'it takes nothing')
      first.child.kill('SIGCONT')
      await bed.release('fake-a', 'DEL')
      t.same([(await first.ended).code, (await second.ended).code], [0, 0])
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('a hundred wait for one that is killed: one after the other, all of them in the end', async t => {
      const bed = await bedOfOne(t, program)
      await bed.hold('fake-a', 'ADD')
      const add = await bed.startHeldAdd('fake-a')
      const dels = Array.from({ length: 100 }, () => bed.start('DEL', { args: bed.args() }))
      await until('all of them to wait', () => waiting(bed) === 100, { limitMs: 120_000 })
      await killed(add.child)
      process.kill(add.call.pid, 'SIGKILL')
      const answers = await Promise.all(dels.map(({ ended }) => ended))
      t.same(new Set(answers.map(({ code, stdout, stderr }) => `${code}${stdout}${stderr}`)), new Set(['0']))
      const turns = bed.calls().filter(({ command, plugin }) => command === 'DEL' && plugin === 'fake-a')
      t.ok(
        turns.length === 200 && turns.every(({ phase }, index) => phase === (index % 2 === 0 ? 'B' : 'E')),
        'in turn',
      )
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('those who are killed while they wait leave nothing', async t => {
      const bed = await bedOfOne(t, program)
      await bed.hold('fake-a', 'ADD')
      const add = await bed.startHeldAdd('fake-a')
      const dels = Array.from({ length: 3 }, () => bed.start('DEL', { args: bed.args() }))
      await until('all of them to wait', () => waiting(bed) === 3)
      await Promise.all(dels.map(({ child }) => killed(child)))
      await bed.release('fake-a', 'ADD')
      t.equal((await add.ended).code, 0)
      t.equal(waiting(bed), 0)
      t.equal((await bed.del()).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })
  })
}
