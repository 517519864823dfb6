import t from 'tap'
import { createSharedValue } from '../../../../agent/runtime/shared-value.ts'

t.test('who follows a value hears of each setting, in order', async t => {
  const value = createSharedValue('a')
  const heard: string[] = []
  value.onChange(now => heard.push(`first ${now} ${value.current()}`))
  value.onChange(now => heard.push(`second ${now}`))
  value.set('b')
  value.set('b')
  t.strictSame(heard, ['first b b', 'second b', 'first b b', 'second b'])
})
