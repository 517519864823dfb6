import t from 'tap'
import { labelSelector } from '../../../../agent/config/label-selector.ts'

const good = ['kops.k8s.io/instance-role=Node', 'a=b,c!=d', 'a==b', 'a', '!a', 'a in (b,c)', 'a notin (b, c),d=e', 'a=']

const bad: Readonly<Record<string, string>> = {
  '': 'is empty, which would select every server of the project',
  '  ': 'is empty, which would select every server of the project',
  'a=b,': 'has an empty part',
  ',a': 'has an empty part',
  'a=b c=d': 'is not a label selector',
  'a=b=c': 'is not a valid label value',
  '-a=b': 'is not a valid key',
  'a/b/c=d': 'is not a valid key',
  'a in b': 'is not a label selector',
}

for (const text of good) t.test(text, async t => t.equal(labelSelector(text), text))
for (const [text, message] of Object.entries(bad))
  t.test(`not: ${JSON.stringify(text)}`, async t =>
    t.throws(() => labelSelector(text), { name: 'ValueFault', message }),
  )
