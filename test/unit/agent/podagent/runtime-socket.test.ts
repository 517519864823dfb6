import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { findRuntime } from '../../../../agent/podagent/runtime-socket.ts'

const { signal } = new AbortController()

/** A node whose container runtime listens, and a program that does what the script says when it is to ask it. */
async function prepare(t: Test, script: string, told = '') {
  // The name of a socket is short.
  const root = await mkdtemp(join(tmpdir(), 'nopal-'))
  t.teardown(() => rm(root, { recursive: true }))
  await mkdir(join(root, 'run/crio'), { recursive: true })
  const server = createServer()
  await new Promise<void>(resolve => server.listen(join(root, 'run/crio/crio.sock'), resolve))
  t.teardown(() => server.close())
  return findRuntime({ told, here: path => join(root, path), self: ['/bin/sh', '-c', script, 'nopal'] })
}

t.test('a process of its own asks, and is given no environment', async t => {
  const sandboxes = [{ containerId: 'c1', podUid: 'u1' }]
  const script = `[ "$1" = cri ] && [ -S "\${2#--socket=}" ] && [ -z "$HOME" ] && echo '${JSON.stringify(sandboxes)}'`
  t.same(await (await prepare(t, script)).sandboxes(signal), sandboxes)
  const ready = { containerId: 'c1', netns: '/run/netns/x' }
  const one = await prepare(t, `[ "$3" = --pod=u1 ] && echo '${JSON.stringify(ready)}' || echo null`)
  t.same(await one.readySandbox('u1', signal), ready)
  t.equal(await one.readySandbox('u2', signal), undefined)
})

t.test('what went wrong is told in its words; a number is no list', async t => {
  const dumb = await prepare(t, 'echo "nopal: the server is away" >&2; exit 3')
  await t.rejects(dumb.sandboxes(signal), { code: 'NoRuntime', message: 'the server is away' })
  await t.rejects((await prepare(t, 'echo 5')).sandboxes(signal), { name: 'ValiError' })
})

t.test('no socket: there is no runtime, and nothing is started', async t => {
  const none = await prepare(t, 'exit 1', '/run/other.sock')
  t.equal(await none.sandboxes(signal), undefined)
  t.equal(await none.readySandbox('u1', signal), undefined)
})

t.test('one that hangs ends with whoever asked', async t => {
  const ended = new AbortController()
  const asked = (await prepare(t, 'exec sleep 600')).sandboxes(ended.signal)
  ended.abort(new Error('enough'))
  await t.rejects(asked, { message: 'enough' })
})
