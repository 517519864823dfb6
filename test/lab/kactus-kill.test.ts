import { closeSync, openSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { until } from '../machine/wait.ts'
import { documentOf, KactusBed, programs } from './kactus-bed.ts'

const plugins = ['fake-a', 'fake-b', 'fake-c'] as const

async function bedOfThree(t: Parameters<typeof KactusBed.make>[0], program: string): Promise<KactusBed> {
  const bed = await KactusBed.make(t, program)
  bed.putNetwork('green')
  bed.putNetwork('blue', { type: 'fake-c' })
  bed.putPod([{ name: 'green' }, { name: 'blue' }])
  return bed
}

/** Every plugin that was started had its DEL, once; nothing is left. */
async function undoneOnce(t: Parameters<typeof KactusBed.make>[0], bed: KactusBed, name: string): Promise<void> {
  await until('the plugins to end', () => bed.calls().every(({ pid }) => !isAlive(pid)))
  for (const plugin of plugins) {
    const count = (command: string) => bed.trace().filter(line => line.startsWith(`${command} ${plugin} `)).length
    if (count('ADD') > 0) t.equal(count('DEL'), 1, `${name}: ${plugin} ran, and was undone once`)
    else t.ok(count('DEL') <= 1, `${name}: ${plugin} did not run`)
  }
  t.same(bed.held(), [], `${name}: nothing is held`)
  t.same(bed.state(), [], `${name}: no record, no lock`)
}

const hasRecord = (bed: KactusBed) => bed.state().some(file => file.startsWith('records/') && file.endsWith('.json'))

/** A dead one that nobody has waited for yet is dead. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

for (const program of programs) {
  t.test(basename(program), async t => {
    for (const plugin of plugins) {
      for (const when of ['begin', 'end']) {
        t.test(`killed at the ${when} of ADD of ${plugin}, then DEL`, async t => {
          const bed = await bedOfThree(t, program)
          await bed.order(plugin, 'ADD', 'kill', `${when}\n`)
          t.equal((await bed.add()).code, 137)
          await bed.cancel(plugin, 'ADD', 'kill')
          const answer = await bed.del()
          t.same([answer.code, answer.stdout], [0, ''])
          await undoneOnce(t, bed, when)
        })

        t.test(`killed at the ${when} of ADD of ${plugin}, then ADD again`, async t => {
          const bed = await bedOfThree(t, program)
          await bed.order(plugin, 'ADD', 'kill', `${when}\n`)
          t.equal((await bed.add()).code, 137)
          await bed.cancel(plugin, 'ADD', 'kill')
          const again = await bed.add()
          t.equal(again.code, 0, again.stdout)
          t.equal(bed.held().length, 3)
          t.equal((await bed.del()).code, 0)
          t.same([bed.held(), bed.state()], [[], []])
        })

        t.test(`killed at the ${when} of DEL of ${plugin}, then DEL`, async t => {
          const bed = await bedOfThree(t, program)
          t.equal((await bed.add()).code, 0)
          await bed.order(plugin, 'DEL', 'kill', `${when}\n`)
          t.equal((await bed.del()).code, 137)
          await bed.cancel(plugin, 'DEL', 'kill')
          t.equal((await bed.del()).code, 0)
          t.same([bed.held(), bed.state()], [[], []])
        })

        t.test(`killed at the ${when} of ${plugin} while undoing a failed ADD, then DEL`, async t => {
          const bed = await bedOfThree(t, program)
          await bed.fail('fake-c', 'ADD')
          await bed.order(plugin, 'DEL', 'kill', `${when}\n`)
          t.equal((await bed.add()).code, 137)
          await bed.cancel(plugin, 'DEL', 'kill')
          t.equal((await bed.del()).code, 0)
          t.same([bed.held(), bed.state()], [[], []])
        })
      }
    }

    t.test('killed after the record was written, before the first plugin could start', async t => {
      const bed = await bedOfThree(t, program)
      // Open for writing, as by an installer: the kernel refuses to start it, and kactus tries again after a second.
      const busy = openSync(join(bed.bin, 'fake-a'), 'r+')
      const { child, ended } = await bed.startAdd('the record', () => hasRecord(bed))
      child.kill('SIGKILL')
      await ended
      closeSync(busy)
      t.equal((await bed.del()).code, 0)
      t.same(bed.trace(), ['DEL fake-a eth0'], 'the others were not to be undone: they were not begun')
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('X2: a plugin that is being replaced is tried again', async t => {
      const bed = await bedOfThree(t, program)
      const busy = openSync(join(bed.bin, 'fake-a'), 'r+')
      const { ended } = await bed.startAdd('the record', () => hasRecord(bed))
      closeSync(busy)
      t.equal((await ended).code, 0)
    })

    t.test('a plugin that outlives kactus ends before its DEL begins', async t => {
      const bed = await bedOfThree(t, program)
      await bed.hold('fake-b', 'ADD')
      const { child, ended } = await bed.startHeldAdd('fake-b')
      child.kill('SIGKILL')
      await ended
      const del = bed.start('DEL', { args: bed.args() })
      await until('DEL to hold the lock', () => bed.state().some(file => file.startsWith('locks/')))
      await bed.release('fake-b', 'ADD')
      t.equal((await del.ended).code, 0)
      const phases = bed
        .calls()
        .filter(({ plugin }) => plugin === 'fake-b')
        .map(({ phase, command }) => `${phase} ${command}`)
      t.same(phases, ['B ADD', 'H ADD', 'E ADD', 'B DEL', 'E DEL'])
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('a plugin that outlives kactus and hangs is killed; DEL ends well', async t => {
      const bed = await bedOfThree(t, program)
      await bed.hold('fake-b', 'ADD')
      const { child, ended, call } = await bed.startHeldAdd('fake-b')
      child.kill('SIGKILL')
      await ended
      t.equal((await bed.del()).code, 0)
      t.notOk(isAlive(call.pid))
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('whoever waits for the lock of a killed run goes on', async t => {
      const bed = await bedOfThree(t, program)
      await bed.hold('fake-a', 'ADD')
      const add = await bed.startHeldAdd('fake-a')
      const del = bed.start('DEL', { args: bed.args() })
      add.child.kill('SIGKILL')
      await add.ended
      t.equal((await del.ended).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('two commands for one container wait for each other; for two containers they do not', async t => {
      const bed = await bedOfThree(t, program)
      await bed.hold('fake-a', 'ADD')
      const add = await bed.startHeldAdd('fake-a')
      const del = bed.start('DEL', { args: bed.args() })
      t.equal((await bed.del({ container: 'another' })).code, 0)
      t.notOk(bed.calls().some(({ command, container }) => command === 'DEL' && container === bed.container))
      await bed.release('fake-a', 'ADD')
      t.match(documentOf(await add.ended), { cniVersion: '1.0.0' })
      t.equal((await del.ended).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })
  })
}
