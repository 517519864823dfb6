import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { collect } from '../machine/command.ts'
import { until } from '../machine/wait.ts'
import { isRunning } from '../unit/cni/host/child.ts'
import { documentOf, KactusBed, programs } from './kactus-bed.ts'
import { looksAround } from './patience.ts'

const newest = { cniVersion: '1.1.0' }

async function bedOfTwo(t: Test, program: string): Promise<KactusBed> {
  const bed = await KactusBed.make(t, program)
  bed.putNetwork('green', { type: 'fake-b', ...newest })
  bed.putPod([])
  t.equal((await bed.add({ conf: confOf(bed) })).code, 0)
  return bed
}

const confOf = (bed: KactusBed, more: object = {}) =>
  bed.conf({ ...newest, delegates: [{ type: 'fake-a', name: 'main', ...newest }], ...more })

const gcConf = (bed: KactusBed, ...containers: readonly string[]) =>
  confOf(bed, { 'cni.dev/valid-attachments': containers.map(containerID => ({ containerID, ifname: 'eth0' })) })

const green = (bed: KactusBed) => ({ conf: confOf(bed), args: bed.args('K8S_POD_NETWORK=green') })

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'close')
}

const phases = (bed: KactusBed, plugin: string) =>
  bed
    .calls()
    .filter(call => call.plugin === plugin)
    .map(({ phase, command }) => `${phase} ${command}`)

/**
 * A delegate whose address server gives out its lease only when it is let; the delegate notes its own number and that of
 * the server, which has let go of all pipes.
 */
const slowBridge = (server: string) => `#!/bin/sh
folder=\${0%/*}
case $CNI_COMMAND in
  ADD)
    echo $$ >"$folder/bridge.pid"
    ${server} sh -c 'echo $$ >"$0/server.pid"; read -r go <"$0/gate"; : >"$0/held/lease"' "$folder" <&- >&- 2>&- &
    wait
    ;;
  DEL) rm -f "$folder/held/lease" ;;
esac
`

async function addWithSlowServer(t: Test, bed: KactusBed, server = '') {
  await writeFile(join(bed.bin, 'slow'), slowBridge(server))
  await chmod(join(bed.bin, 'slow'), 0o755)
  await collect(['mkfifo', join(bed.bin, 'gate')], { env: { PATH: '/usr/bin:/bin' } })
  const conf = bed.conf({ delegates: [{ type: 'slow', name: 'main' }] })
  const add = bed.start('ADD', { conf, container: 'slow' })
  // The shell makes the file before it writes: what is empty yet is not process 0, which would be all of ours.
  const pidIn = (file: string) =>
    until(
      file,
      () => (existsSync(join(bed.bin, file)) && Number(readFileSync(join(bed.bin, file), 'utf8'))) || undefined,
    )
  const [bridge, address] = [await pidIn('bridge.pid'), await pidIn('server.pid')]
  t.teardown(() => isRunning(address) && process.kill(address, 'SIGKILL'))
  return { add, bridge, address }
}

for (const program of programs) {
  t.test(basename(program), async t => {
    for (const server of ['', 'env -i PATH="$PATH"']) {
      t.test(
        `only the delegate is killed: its address server (${server || 'env'}) ends before the ADD is undone`,
        async t => {
          const bed = await bedOfTwo(t, program)
          const { add, bridge, address } = await addWithSlowServer(t, bed, server)
          process.kill(bridge, 'SIGKILL')
          await until('the end of the delegate', () => !isRunning(bridge))
          await looksAround(add.child)
          await writeFile(join(bed.bin, 'gate'), 'go\n')
          t.match(documentOf(await add.ended), { code: 107, msg: /SIGKILL/ })
          t.notOk(isRunning(address))
          t.same(bed.held(), [`fake-a.${bed.container}.eth0`], 'no lease')
        },
      )
    }

    t.test('only the delegate is killed, and its address server hangs: it is ended', async t => {
      const bed = await bedOfTwo(t, program)
      const { add, bridge, address } = await addWithSlowServer(t, bed)
      process.kill(bridge, 'SIGKILL')
      t.match(documentOf(await add.ended), { code: 107, msg: /SIGKILL/ })
      t.notOk(isRunning(address))
      t.same(bed.held(), [`fake-a.${bed.container}.eth0`], 'no lease')
    })

    t.test('kactus and its delegate are killed: the address server ends before DEL', async t => {
      const bed = await bedOfTwo(t, program)
      const { add, bridge, address } = await addWithSlowServer(t, bed)
      await killed(add.child)
      process.kill(bridge, 'SIGKILL')
      const conf = bed.conf({ delegates: [{ type: 'slow', name: 'main' }] })
      const del = bed.start('DEL', { conf, container: 'slow' })
      await looksAround(del.child)
      await writeFile(join(bed.bin, 'gate'), 'go\n')
      t.equal((await del.ended).code, 0)
      t.notOk(isRunning(address))
      t.same(bed.held(), [`fake-a.${bed.container}.eth0`], 'no lease')
    })

    t.test('a hot DEL is killed: the next hot ADD waits for its plugin, and attaches anew', async t => {
      const bed = await bedOfTwo(t, program)
      t.equal((await bed.runPatiently('ADD', green(bed))).code, 0)
      await bed.forgetCalls()
      await bed.hold('fake-b', 'DEL')
      const del = bed.start('DEL', green(bed))
      await bed.waitForCall({ phase: 'H', command: 'DEL' })
      await killed(del.child)
      const add = bed.start('ADD', green(bed))
      await looksAround(add.child)
      await bed.release('fake-b', 'DEL')
      t.equal((await add.ended).code, 0)
      t.same(phases(bed, 'fake-b'), ['B DEL', 'H DEL', 'E DEL', 'B DEL', 'E DEL', 'B ADD', 'E ADD'])
      t.equal(bed.held().length, 2, 'the interface is there')
    })

    t.test('a hot DEL is killed: the second one waits for its plugin', async t => {
      const bed = await bedOfTwo(t, program)
      t.equal((await bed.runPatiently('ADD', green(bed))).code, 0)
      await bed.forgetCalls()
      await bed.hold('fake-b', 'DEL')
      const del = bed.start('DEL', green(bed))
      await bed.waitForCall({ phase: 'H', command: 'DEL' })
      await killed(del.child)
      const second = bed.start('DEL', green(bed))
      await looksAround(second.child)
      await bed.release('fake-b', 'DEL')
      t.equal((await second.ended).code, 0)
      t.same(phases(bed, 'fake-b'), ['B DEL', 'H DEL', 'E DEL', 'B DEL', 'E DEL'])
      t.equal(bed.held().length, 1)
    })

    t.test('a GC is killed: a new pod waits for its plugin, and keeps its address', async t => {
      const bed = await bedOfTwo(t, program)
      await bed.forgetCalls()
      await bed.hold('fake-a', 'GC')
      const gc = bed.start('GC', { conf: gcConf(bed, bed.container) })
      await bed.waitForCall({ phase: 'H', command: 'GC' })
      await killed(gc.child)
      const adds = ['one', 'two'].map(container => bed.start('ADD', { conf: confOf(bed), container }))
      // One looks whether the plugin has ended, the other waits for that one.
      await Promise.any(adds.map(({ child }) => looksAround(child)))
      await bed.release('fake-a', 'GC')
      t.same(await Promise.all(adds.map(async ({ ended }) => (await ended).code)), [0, 0])
      t.same(phases(bed, 'fake-a').slice(0, 3), ['B GC', 'H GC', 'E GC'])
      t.equal(bed.held().length, 3)
      for (const container of ['one', 'two']) t.equal((await bed.del({ conf: confOf(bed), container })).code, 0)
      t.equal((await bed.del({ conf: confOf(bed) })).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('a command waits for the orphans of its own container only, GC for all', async t => {
      const bed = await bedOfTwo(t, program)
      await bed.hold('fake-b', 'ADD')
      const add = await bed.startHeldAdd('fake-b', green(bed))
      await killed(add.child)
      await bed.forgetCalls()
      const other = { conf: confOf(bed), container: 'other' }
      t.equal((await bed.run('ADD', other)).code, 0)
      t.equal((await bed.del(other)).code, 0)
      t.same(phases(bed, 'fake-b'), [], "another container's commands went by")
      const gc = bed.start('GC', { conf: gcConf(bed, bed.container) })
      await looksAround(gc.child)
      await bed.release('fake-b', 'ADD')
      t.equal((await gc.ended).code, 0)
      t.same(phases(bed, 'fake-b').slice(0, 2), ['E ADD', 'B GC'])
      t.equal((await bed.del({ conf: confOf(bed) })).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })
  })
}
