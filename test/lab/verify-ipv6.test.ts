import t from 'tap'
import { internet } from './internet.ts'
import { startLab } from './lab.ts'
import { verify } from './verify-bed.ts'

const server = 'fd00:113::2'
const port = 7777

interface FamilyCase {
  readonly name: string
  readonly policy: 'any' | 'all'
  readonly broken: boolean
  readonly passed: boolean
  /** Results per family, IPv4 first. */
  readonly want: readonly [v4: string, v6: string]
}

const cases: readonly FamilyCase[] = [
  { name: 'both families work', policy: 'all', broken: false, passed: true, want: ['pass', 'pass'] },
  {
    name: 'IPv6 is swallowed, any will do',
    policy: 'any',
    broken: true,
    passed: true,
    want: ['pass', 'warn TimedOut'],
  },
  {
    name: 'IPv6 is swallowed, all must work',
    policy: 'all',
    broken: true,
    passed: false,
    want: ['pass', 'fail TimedOut'],
  },
]

t.test('a node whose IPv6 is half dead', async t => {
  const lab = await startLab({ nodes: 1 })
  t.teardown(async () => {
    if (!t.passing()) t.comment(lab.run.logTails(40))
    await lab.stop()
  })
  const node = lab.node(1)
  await lab.control.run(['ip', 'addr', 'add', `${server}/64`, 'dev', 'eth0', 'nodad'])
  await node.run(['ip', 'addr', 'add', 'fd00:113::11/64', 'dev', 'eth0', 'nodad'])
  const listen = `const { createServer } = require('net')
    const serve = host => new Promise(resolve => createServer(socket => socket.destroy()).listen(${port}, host, resolve))
    Promise.all(['${internet.controlPlane}', '${server}'].map(serve)).then(() => console.log('listens'))`
  const listener = lab.control.start({ name: 'dual', argv: [process.execPath, '-e', listen] })
  await listener.waitForLog(/listens/)
  const hosts = `${internet.controlPlane} dual.test\n${server} dual.test\n`
  await node.run(['sh', '-c', 'cat >>/etc/hosts'], { input: hosts })

  for (const { name, policy, broken, passed, want } of cases) {
    await t.test(name, async t => {
      const table = 'add table inet dead; add chain inet dead out { type filter hook output priority 0; }'
      if (broken) await node.run(['nft', `${table}; add rule inet dead out ip6 daddr ${server} drop`])
      const settings = `[verify]\ntcp = dual.test:${port}\nip-families = ${policy}\ncheck-timeout = 3s\nfrom = host\n`
      await (await lab.startAgent(node, { settings })).stop('SIGTERM', 5000)
      const verdict = await verify(lab, node, ['--from', 'host'])
      const of = (address: string) => verdict.checks.find(check => check.target.startsWith(address))
      const found = [of(internet.controlPlane), of(`[${server}]`)].map(check =>
        [check?.result, check?.reason].filter(Boolean).join(' '),
      )
      t.same(found, want)
      t.equal(verdict.passed, passed)
      if (broken) await node.run(['nft', 'delete', 'table', 'inet', 'dead'])
    })
  }
  await listener.stop('SIGKILL')
})
