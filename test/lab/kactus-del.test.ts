import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { documentOf, KactusBed, programs } from './kactus-bed.ts'

const green = 'net9f27410725ab'
const blue = 'net48d6215903df'

async function attached(t: Parameters<typeof KactusBed.make>[0], program: string): Promise<KactusBed> {
  const bed = await KactusBed.make(t, program)
  bed.putNetwork('green')
  bed.putNetwork('blue', { type: 'fake-c' })
  bed.putPod([{ name: 'green' }, { name: 'blue' }])
  const answer = await bed.add()
  t.equal(answer.code, 0, answer.stdout)
  await bed.forgetCalls()
  return bed
}

const everything = [`DEL fake-b ${green}`, `DEL fake-c ${blue}`, 'DEL fake-a eth0']

for (const program of programs) {
  t.test(basename(program), async t => {
    t.test('D1: twice, never added, without netns, without prevResult: rc 0 and silence', async t => {
      const bed = await attached(t, program)
      const rows = [
        { name: 'first', options: {} },
        { name: 'second', options: {} },
        { name: 'never added', options: { container: 'other' } },
        { name: 'netns empty', options: { netns: '' } },
        { name: 'netns absent', options: { env: { CNI_NETNS: undefined } } },
        { name: 'with a prevResult', options: { conf: bed.conf({ prevResult: { cniVersion: '1.0.0', dns: {} } }) } },
      ]
      for (const { name, options } of rows) {
        const answer = await bed.del(options)
        t.same([answer.code, answer.stdout, answer.stderr], [0, '', ''], name)
      }
      t.same([bed.held(), bed.state()], [[], []])
      t.equal(
        bed.trace().filter(line => line.startsWith('DEL fake-a')).length,
        rows.length,
        'the configured one each time',
      )
    })

    t.test('D1: the agent dead, the API refused, the pod edited: DEL asks nobody', async t => {
      const bed = await attached(t, program)
      bed.putPod([{ name: 'blue' }])
      bed.agent.says = 'silence'
      const asked = bed.agent.questions
      const answer = await bed.del({ conf: bed.conf({ kubeconfig: '/none' }) })
      t.equal(answer.code, 0, answer.stdout)
      t.equal(bed.agent.questions, asked)
      t.same(bed.trace().toSorted(), everything.toSorted())
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('D2: one fails: the others run, and the retry calls only what is left', async t => {
      for (const failing of ['fake-a', 'fake-b', 'fake-c']) {
        const bed = await attached(t, program)
        await bed.fail(failing, 'DEL', 55, 'not yet')
        const first = await bed.del()
        t.match(documentOf(first), { code: 55, msg: 'not yet' }, failing)
        t.same(bed.trace().toSorted(), everything.toSorted(), failing)
        t.equal(bed.state().length, 1, 'what is left is on record')
        await bed.forgetCalls()
        t.equal((await bed.del()).code, 1, 'still')
        t.equal(bed.trace().length, 1)
        await bed.heal(failing, 'DEL')
        await bed.forgetCalls()
        t.equal((await bed.del()).code, 0)
        t.same(
          bed.trace(),
          everything.filter(line => line.includes(failing)),
        )
        t.same([bed.held(), bed.state()], [[], []])
      }
    })

    t.test('D2: two fail: both are tried, the retry finds both', async t => {
      const bed = await attached(t, program)
      await bed.fail('fake-b', 'DEL')
      await bed.fail('fake-a', 'DEL')
      t.equal((await bed.del()).code, 1)
      await bed.heal('fake-b', 'DEL')
      await bed.heal('fake-a', 'DEL')
      await bed.forgetCalls()
      t.equal((await bed.del()).code, 0)
      t.same(bed.trace().toSorted(), ['DEL fake-a eth0', `DEL fake-b ${green}`])
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('DEL uses the configuration of the ADD, with its result', async t => {
      const bed = await attached(t, program)
      bed.putNetwork('green', { type: 'fake-b', changed: true })
      const conf = bed.conf({ delegates: [{ type: 'fake-c', name: 'new' }] })
      t.equal((await bed.del({ conf })).code, 0)
      t.same(bed.trace().toSorted(), everything.toSorted())
      const stdin = bed.stdinOf(bed.call('DEL', green))
      t.match(stdin, { name: 'green', prevResult: { ips: [{ address: '10.1.0.2/24' }] } })
      t.equal(stdin.changed, undefined)
    })

    t.test('DEL works though the delegates of the configuration are broken by now', async t => {
      const bed = await attached(t, program)
      t.equal((await bed.del({ conf: bed.conf({ delegates: 'gone' }) })).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('a plugin that was uninstalled does not keep the others', async t => {
      const bed = await attached(t, program)
      renameSync(join(bed.bin, 'fake-b'), join(bed.bin, 'away'))
      t.match(documentOf(await bed.del()), { code: 106, msg: /fake-b/ })
      renameSync(join(bed.bin, 'away'), join(bed.bin, 'fake-b'))
      t.equal((await bed.del()).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('a damaged record is set aside, said so, and not believed', async t => {
      const damages: readonly (readonly [string, (text: string) => string])[] = [
        ['empty', () => ''],
        ['half', text => text.slice(0, text.length / 2)],
        ['no JSON', () => '\0\0\0\0'],
        ['another container', text => text.replace(/"containerId":"[^"]*"/, '"containerId":"x"')],
        ['another schema', text => text.replace('"schema":1', '"schema":99')],
        ['a plugin with a path', text => text.replaceAll('"type":"fake-b"', '"type":"../../../bin/sh"')],
        ['an unknown status', text => text.replaceAll('"added"', '"happy"')],
        ['deep', () => `${'['.repeat(100000)}${']'.repeat(100000)}`],
      ]
      for (const [name, damage] of damages) {
        const bed = await attached(t, program)
        const file = join(bed.cniDir, 'records', `${bed.container}.json`)
        writeFileSync(file, damage(readFileSync(file, 'utf8')))
        const answer = await bed.del()
        t.equal(answer.code, 0, name)
        t.match(answer.stderr, /damaged/, name)
        t.same(bed.trace(), ['DEL fake-a eth0'], `${name}: the configured network`)
        t.match(bed.state(), [/^damaged\//], name)
      }
    })

    t.test('files of others in the state folder are left alone', async t => {
      const bed = await attached(t, program)
      mkdirSync(join(bed.cniDir, 'theirs'))
      writeFileSync(join(bed.cniDir, 'theirs/file'), 'x')
      t.equal((await bed.del()).code, 0)
      t.same(bed.state(), ['theirs/file'])
    })

    t.test('the state is for root alone', async t => {
      const bed = await attached(t, program)
      for (const name of readdirSync(bed.cniDir)) t.equal(statSync(join(bed.cniDir, name)).mode & 0o777, 0o700, name)
      const file = join(bed.cniDir, 'records', `${bed.container}.json`)
      t.equal(statSync(file).mode & 0o777, 0o600)
    })

    t.test('a container attached twice by name: each DEL takes its own, the last one the rest', async t => {
      const bed = await attached(t, program)
      t.equal((await bed.run('ADD', { ifname: 'eth1' })).code, 0)
      await bed.forgetCalls()
      t.equal((await bed.del({ ifname: 'eth1' })).code, 0)
      t.same(bed.trace(), ['DEL fake-a eth1'])
      t.equal((await bed.del()).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('another configuration of ours keeps its attachments', async t => {
      const bed = await attached(t, program)
      const other = bed.conf({ name: 'other-net', delegates: [{ type: 'fake-c', name: 'second' }] })
      t.equal((await bed.run('ADD', { conf: other, ifname: 'eth1' })).code, 0)
      await bed.forgetCalls()
      t.equal((await bed.run('DEL', { conf: other, ifname: 'eth1' })).code, 0)
      t.same(bed.trace(), ['DEL fake-c eth1'])
      t.equal(bed.held().length, 3)
    })
  })
}
