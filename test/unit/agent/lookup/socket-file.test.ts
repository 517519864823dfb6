import t from 'tap'
import { prepareFolder } from '../../../../agent/lookup/socket-file.ts'

t.test('a folder that cannot be made is an error, not an endless attempt', async t => {
  await t.rejects(prepareFolder('/proc/none/such/agent.sock', { uid: process.getuid?.() ?? 0, nowMs: 0 }), {
    code: 'ENOENT',
  })
})
