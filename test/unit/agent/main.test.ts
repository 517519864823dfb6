import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'

const main = join(import.meta.dirname, '../../../agent/main.ts')

t.test('who reads has heard enough, as head has: it ends like one that is told to', async t => {
  const child = spawn(process.execPath, [main, 'wg', '--watch'], { env: {}, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  const said = text(child.stderr)
  child.stdout.destroy()
  const [code, signal] = await once(child, 'exit')
  t.equal(signal, null)
  t.type(code, 'number')
  t.notMatch(await said, /EPIPE/)
})

t.test('a Node.js that is too old is told so in one sentence', async t => {
  const program = `Object.defineProperty(process.versions, 'node', { value: '20.19.2' }); import('${main}')`
  const child = spawn(process.execPath, ['-e', program], { env: {}, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  t.same([code, stdout, stderr], [3, '', 'nopal: Node.js 20.19.2 is too old: nopal needs 22.19 or newer\n'])
})
