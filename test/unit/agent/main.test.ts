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
