import t from 'tap'
import { hasEnded, isLiving, ownIdentity, processFacts } from '../../../../cni/host/process-identity.ts'
import { startShell } from './child.ts'

t.test('we live, and nobody else is us', async t => {
  t.match(ownIdentity(), /^\d+-\d+$/)
  t.ok(isLiving(ownIdentity()))
  const [pid, start] = ownIdentity().split('-')
  t.equal(Number(pid), process.pid)
  t.notOk(isLiving(`${pid}-${Number(start) + 1}`), 'our number, given to another one')
})

for (const junk of ['', '-', '1', 'self-1', '0-0', '99999999999-1', '../1-1', `${process.pid}-x`]) {
  t.test(`nobody is named ${JSON.stringify(junk)}`, async t => t.notOk(isLiving(junk)))
}

t.test('a process that has ended, whether somebody has waited for it or not', async t => {
  const child = startShell(t, 'exec sleep 600')
  const facts = processFacts(child.process.pid ?? 0)
  if (facts === undefined) throw new Error('the child is not there')
  const identity = `${facts.pid}-${facts.start}`
  t.ok(isLiving(identity))
  await child.kill()
  t.notOk(isLiving(identity))
  t.ok(hasEnded({ ...facts, state: 'Z' }))
})
