import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { basename, join } from 'node:path'
import t from 'tap'
import { documentOf, KactusBed, programs } from './kactus-bed.ts'

const green = 'net9f27410725ab'
const blue = 'net48d6215903df'
const newest = { cniVersion: '1.1.0' }
const delegates = [{ type: 'fake-a', name: 'main', ...newest }]

async function bedOfTwo(t: Parameters<typeof KactusBed.make>[0], program: string): Promise<KactusBed> {
  const bed = await KactusBed.make(t, program)
  bed.putNetwork('green', { type: 'fake-b', ...newest })
  bed.putNetwork('blue', { type: 'fake-c', cniVersion: '1.0.0' })
  bed.putPod([{ name: 'green' }, { name: 'blue' }])
  return bed
}

const kubeconfigFor = (port: number) => `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:${port}', insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`

const gcConf = (bed: KactusBed, valid: unknown, key = 'cni.dev/valid-attachments') =>
  bed.conf({ ...newest, delegates, [key]: valid })

for (const program of programs) {
  t.test(basename(program), async t => {
    t.test('C1: CHECK asks every delegate with its own result; silence on success', async t => {
      const bed = await bedOfTwo(t, program)
      await bed.order('fake-b', 'ADD', 'out', { ...newest, ips: [{ address: '10.8.0.2/24' }] })
      const result = documentOf(await bed.add())
      const conf = bed.conf({ prevResult: result })
      await bed.forgetCalls()
      const answer = await bed.run('CHECK', { conf, args: bed.args() })
      t.same([answer.code, answer.stdout], [0, ''])
      t.same(bed.trace(), ['CHECK fake-a eth0', `CHECK fake-b ${green}`, `CHECK fake-c ${blue}`])
      t.match(bed.stdinOf(bed.call('CHECK', 'eth0')).prevResult, {
        cniVersion: '1.0.0',
        ips: [{ address: '10.1.0.2/24' }],
      })
      t.match(bed.stdinOf(bed.call('CHECK', green)).prevResult, { ips: [{ address: '10.8.0.2/24' }] })
      await bed.fail('fake-b', 'CHECK', 88, 'green has gone bad')
      t.match(documentOf(await bed.run('CHECK', { conf, args: bed.args() })), { code: 88, msg: 'green has gone bad' })
    })

    t.test('CHECK with K8S_POD_NETWORK asks that one network', async t => {
      const bed = await bedOfTwo(t, program)
      const conf = bed.conf({ prevResult: documentOf(await bed.add()) })
      await bed.forgetCalls()
      const ask = (network: string) => bed.run('CHECK', { conf, args: bed.args(`K8S_POD_NETWORK=${network}`) })
      for (const network of ['green', 'default/green']) {
        const answer = await ask(network)
        t.same([answer.code, answer.stdout], [0, ''], network)
      }
      t.same(bed.trace(), [`CHECK fake-b ${green}`, `CHECK fake-b ${green}`])
      for (const network of ['red', 'team/green']) t.match(documentOf(await ask(network)), { code: 3 }, network)
      await bed.fail('fake-b', 'CHECK', 88, 'green has gone bad')
      t.equal((await ask('blue')).code, 0)
      t.match(documentOf(await ask('green')), { code: 88 })
    })

    t.test('C1: a delegate that has no CHECK, or does not want one, is not asked', async t => {
      const bed = await KactusBed.make(t, program)
      for (const more of [{ cniVersion: '0.3.1' }, { disableCheck: 'true', plugins: [{ type: 'fake-a' }] }]) {
        const { plugins } = more as { plugins?: unknown }
        const delegate = { name: 'main', ...(plugins === undefined && { type: 'fake-a' }), ...more }
        const conf = bed.conf({ delegates: [delegate] })
        t.equal((await bed.run('ADD', { conf })).code, 0)
        t.equal((await bed.run('CHECK', { conf: { ...conf, prevResult: { cniVersion: '1.0.0' } } })).code, 0)
        t.equal((await bed.run('DEL', { conf })).code, 0)
      }
      t.notOk(bed.trace().some(line => line.startsWith('CHECK')))
    })

    t.test('S1: STATUS', async t => {
      const bed = await bedOfTwo(t, program)
      const conf = bed.conf({ ...newest, delegates })
      const ask = (more: object = {}) => bed.run('STATUS', { conf: { ...conf, ...more } })
      const well = await ask()
      t.same([well.code, well.stdout], [0, ''])
      t.same(bed.trace(), ['STATUS fake-a'], 'the delegate was asked')
      t.equal(bed.agent.questions, 0, 'nobody was bothered')
      await ask({ delegates: [{ type: 'fake-a', cniVersion: '1.0.0' }] })
      t.equal(bed.trace().length, 1, 'a delegate before 1.1.0 has no STATUS')
      await bed.fail('fake-a', 'STATUS', 50, 'out of addresses')
      t.match(documentOf(await ask()), { code: 50, msg: 'out of addresses' })
      await bed.fail('fake-a', 'STATUS', 51, 'no uplink')
      t.match(documentOf(await ask()), { code: 51, msg: 'no uplink' })
      await bed.fail('fake-a', 'STATUS', 999, 'odd')
      t.match(documentOf(await ask()), { code: 50, msg: 'odd' })
      t.equal((await bed.add({ conf })).code, 0, 'ADD and DEL work all the same')
      t.equal((await bed.del({ conf })).code, 0)
      await bed.heal('fake-a', 'STATUS')
      t.match(documentOf(await ask({ delegates: [{ type: 'none' }] })), { code: 50, msg: /none/ })
      t.match(documentOf(await ask({ agentSocket: '', kubeconfig: '/none/such' })), { code: 50, msg: /\/none\/such/ })
      t.match(documentOf(await ask({ cniDir: '/proc/nopal' })), { code: 50 }, 'no place for the state')
    })

    t.test('G1, G2: what says nothing removes nothing', async t => {
      const bed = await bedOfTwo(t, program)
      t.equal((await bed.add()).code, 0)
      await bed.forgetCalls()
      for (const conf of [bed.conf({ ...newest, delegates }), gcConf(bed, null)]) {
        const answer = await bed.run('GC', { conf })
        t.same([answer.code, answer.stdout], [0, ''])
      }
      for (const bad of [
        'x',
        {},
        [5],
        [{}],
        [{ containerID: '../x', ifname: 'eth0' }],
        [{ containerID: 'c', ifname: 5 }],
      ]) {
        t.match(documentOf(await bed.run('GC', { conf: gcConf(bed, bad) })), { code: 7 }, JSON.stringify(bad))
      }
      t.same(bed.calls(), [])
      t.equal(bed.held().length, 3)
    })

    t.test('G2, G3: an empty list means that all is stale; either key will do', async t => {
      for (const key of ['cni.dev/valid-attachments', 'cni.dev/attachments']) {
        const bed = await bedOfTwo(t, program)
        t.equal((await bed.add()).code, 0)
        const answer = await bed.run('GC', { conf: gcConf(bed, [], key) })
        t.same([answer.code, answer.stdout], [0, ''], key)
        t.same([bed.held(), bed.state()], [[], []], key)
      }
    })

    t.test(
      'G4: hashed and hot-plugged interfaces live as long as their pod; each delegate gets its own names',
      async t => {
        const bed = await bedOfTwo(t, program)
        const conf = bed.conf({ ...newest, delegates })
        t.equal((await bed.add({ conf })).code, 0)
        t.equal((await bed.add({ conf, container: 'gone' })).code, 0)
        bed.putNetwork('red', { type: 'fake-b', ...newest })
        t.equal((await bed.runPatiently('ADD', { conf, args: bed.args('K8S_POD_NETWORK=red') })).code, 0)
        const red = bed.calls().at(-1)?.ifname
        await bed.forgetCalls()
        const valid = [
          { containerID: bed.container, ifname: 'eth0' },
          { containerID: 'before-us', ifname: 'eth0' },
        ]
        const answer = await bed.run('GC', { conf: gcConf(bed, valid) })
        t.equal(answer.code, 0, answer.stdout)
        t.same(
          bed.held(),
          [
            `fake-a.${bed.container}.eth0`,
            `fake-b.${bed.container}.${green}`,
            `fake-b.${bed.container}.${red}`,
            `fake-c.${bed.container}.${blue}`,
          ].toSorted(),
        )
        t.equal(bed.state().length, 1)
        const told = bed.calls().filter(({ phase, command }) => phase === 'B' && command === 'GC')
        const lists = Object.fromEntries(
          told.map(call => [bed.stdinOf(call).name, bed.stdinOf(call)['cni.dev/valid-attachments']]),
        )
        t.same(
          lists,
          {
            main: valid,
            green: [{ containerID: bed.container, ifname: green }],
            red: [{ containerID: bed.container, ifname: red }],
          },
          'blue is of 1.0.0 and has no GC',
        )
      },
    )

    t.test('G3: it goes on over failures, and reports all of them', async t => {
      const bed = await bedOfTwo(t, program)
      const conf = bed.conf({ ...newest, delegates })
      t.equal((await bed.add({ conf })).code, 0)
      t.equal((await bed.add({ conf, container: 'gone' })).code, 0)
      await bed.fail('fake-b', 'DEL', 60, 'first')
      await bed.fail('fake-a', 'GC', 61, 'second')
      const answer = await bed.run('GC', { conf: gcConf(bed, [{ containerID: bed.container, ifname: 'eth0' }]) })
      t.match(documentOf(answer), { code: 60, msg: /first.*second/ })
      t.same(
        bed.held().filter(name => name.includes('.gone.')),
        [`fake-b.gone.${green}`],
      )
      await bed.heal('fake-b', 'DEL')
      await bed.heal('fake-a', 'GC')
      t.equal((await bed.run('GC', { conf: gcConf(bed, []) })).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('GC: a delegate that knows no GC is no failure', async t => {
      for (const code of [1, 4]) {
        const bed = await bedOfTwo(t, program)
        t.equal((await bed.add({ container: 'gone' })).code, 0)
        await bed.fail('fake-a', 'GC', code, 'unknown CNI_COMMAND: GC')
        const answer = await bed.run('GC', { conf: gcConf(bed, []) })
        t.same([answer.code, answer.stdout], [0, ''], `code ${code}`)
        t.same([bed.held(), bed.state()], [[], []])
      }
    })

    t.test('an ADD that waits for the API keeps neither GC nor what comes beside it', async t => {
      const bed = await bedOfTwo(t, program)
      const conf = bed.conf({ ...newest, delegates })
      t.equal((await bed.add({ conf })).code, 0)
      const silent = createServer(socket => void socket.on('error', () => undefined))
      t.teardown(() => silent.close())
      await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
      const asked = once(silent, 'connection')
      const file = join(bed.folder, 'kubeconfig')
      writeFileSync(file, kubeconfigFor((silent.address() as AddressInfo).port))
      const add = bed.start('ADD', {
        container: 'slow',
        args: bed.args(),
        conf: { ...conf, agentSocket: '', kubeconfig: file },
      })
      t.teardown(() => add.child.kill('SIGKILL'))
      await Promise.race([asked, add.ended.then(({ stdout }) => Promise.reject(new Error(stdout)))])
      t.equal((await bed.run('GC', { conf: gcConf(bed, [{ containerID: bed.container, ifname: 'eth0' }]) })).code, 0)
      t.equal((await bed.del({ conf })).code, 0)
      t.equal((await bed.run('ADD', { conf, container: 'other' })).code, 0)
      t.equal((await bed.run('DEL', { conf, container: 'other' })).code, 0)
      t.equal(add.child.exitCode, null, 'it waits still')
      add.child.kill('SIGKILL')
      await add.ended
      t.equal((await bed.del({ conf, container: 'slow' })).code, 0)
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test("GC leaves another configuration's attachments", async t => {
      const bed = await bedOfTwo(t, program)
      t.equal((await bed.add({ conf: bed.conf({ name: 'other' }) })).code, 0)
      t.equal((await bed.run('GC', { conf: gcConf(bed, []) })).code, 0)
      t.equal(bed.held().length, 3)
    })

    t.test('L3: GC waits for what runs, and what comes waits for GC', async t => {
      const bed = await bedOfTwo(t, program)
      const conf = bed.conf({ ...newest, delegates })
      await bed.hold('fake-a', 'ADD')
      const add = bed.start('ADD', { conf })
      await bed.waitForCall({ phase: 'H', command: 'ADD' })
      await bed.hold('fake-a', 'GC')
      const gc = bed.start('GC', { conf: gcConf(bed, [{ containerID: bed.container, ifname: 'eth0' }]) })
      await bed.release('fake-a', 'ADD')
      await bed.waitForCall({ phase: 'H', command: 'GC' })
      t.equal((await add.ended).code, 0)
      const del = bed.start('DEL', { conf })
      const other = bed.start('DEL', { conf, container: 'other' })
      await bed.release('fake-a', 'GC')
      t.same([(await gc.ended).code, (await del.ended).code, (await other.ended).code], [0, 0, 0])
      const order = bed
        .calls()
        .filter(({ plugin }) => plugin === 'fake-a')
        .map(({ phase, command }) => `${phase} ${command}`)
      t.same(order.slice(0, 6), ['B ADD', 'H ADD', 'E ADD', 'B GC', 'H GC', 'E GC'])
      t.same([bed.held(), bed.state()], [[], []])
    })

    t.test('a GC that was killed keeps nobody waiting', async t => {
      const bed = await bedOfTwo(t, program)
      const conf = bed.conf({ ...newest, delegates })
      await bed.order('fake-a', 'GC', 'kill', 'begin\n')
      t.equal((await bed.run('GC', { conf: gcConf(bed, []) })).code, 137)
      t.equal((await bed.add({ conf })).code, 0)
      t.equal((await bed.del({ conf })).code, 0)
    })

    t.test('logging as documented, and never a secret', async t => {
      const bed = await bedOfTwo(t, program)
      const file = join(bed.folder, 'cni.log')
      const conf = bed.conf({ delegates: [{ type: 'fake-a', password: 'hunter2' }] })
      const lines = () =>
        existsSync(file)
          ? readFileSync(file, 'utf8')
              .trimEnd()
              .split('\n')
              .map(line => JSON.parse(line))
          : []
      await bed.add({ conf, env: { _CNI_LOGGING_FILE: file } })
      t.same(lines(), [], 'level 1 speaks of errors only')
      await bed.del({ conf, env: { _CNI_LOGGING_FILE: file, _CNI_LOGGING_LEVEL: '2' } })
      t.ok(lines().length >= 3)
      t.match(lines().at(-1), {
        time: /T/,
        level: 'info',
        msg: /./,
        verb: 'DEL',
        container: bed.container,
        pod: 'default/p1',
      })
      rmSync(file)
      await bed.add({ conf: { ...conf, logFile: file, logLevel: 'debug' } })
      t.ok(lines().length >= 3, 'by the configuration')
      t.notMatch(readFileSync(file, 'utf8'), 'hunter2')
      await bed.fail('fake-a', 'DEL', 5, 'broken')
      const answer = await bed.del({ conf, env: { _CNI_LOGGING_FILE: '/none/such/file', _CNI_LOGGING_LEVEL: '1' } })
      t.match(answer.stderr, /"level":"error".*broken/, 'a file that cannot be written: stderr')
    })
  })
}
