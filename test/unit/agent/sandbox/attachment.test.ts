import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mock } from 'node:test'
import t from 'tap'
import { withAttachment } from '../../../../agent/sandbox/attachment.ts'
import { readRecords } from '../../../../agent/sandbox/record.ts'
import { confListFrom } from '../../../../cni/spec/conf.ts'
import { createRecordingLogger } from '../runtime/recording-logger.ts'

t.test('told to end, what detaches has its time from then on, not from when all else has ended', async t => {
  const root = t.testdir({ bin: {} })
  const plugin = join(root, 'bin/tells')
  writeFileSync(plugin, `#!/bin/sh\necho '{"cniVersion":"1.0.0"}'\n`)
  chmodSync(plugin, 0o755)
  const paths = {
    hostRoot: '',
    binDirOnHost: join(root, 'bin'),
    binFolder: join(root, 'bin'),
    confFolder: '',
    recordFolder: join(root, 'records'),
    lockFolder: join(root, 'records/locks'),
  }
  const log = createRecordingLogger()
  const end = new AbortController()
  const list = confListFrom({ cniVersion: '1.0.0', name: 'net', plugins: [{ type: 'tells' }] })
  const attachment = { list, netns: '/proc/self/ns/net', signal: end.signal }
  await withAttachment({ paths, log, limitMs: 600_000 }, attachment, async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    end.abort(new Error('the agent ends'))
    // What is at work takes longer to end than the agent waits.
    mock.timers.tick(2_000)
    mock.timers.reset()
  })
  t.equal((await readRecords(paths.recordFolder)).length, 1, 'the next agent takes it away')
  t.match(log.lines, [['warn', /could not be taken down/]])
})
