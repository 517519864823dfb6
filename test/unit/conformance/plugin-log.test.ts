import t from 'tap'
import { readPluginLog } from '../../conformance/plugin-log.ts'

const line = (level: string, msg: string) => `${JSON.stringify({ time: 't', level, msg })}\n`

t.test('pods attached, and errors but for those of a pod that was deleted meanwhile', async t => {
  const lines = [
    line('info', 'added the default network'),
    line('info', 'ADD done'),
    line('error', 'there is no pod a/b'),
    line('error', 'a/b is another pod of that name by now'),
    line('info', 'ADD done'),
    line('error', 'no address is left'),
  ]
  t.same(readPluginLog(lines.join('')), { attached: 2, errors: ['no address is left'] })
  t.same(readPluginLog(''), { attached: 0, errors: [] })
})
