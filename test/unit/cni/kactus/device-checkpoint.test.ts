import t from 'tap'
import { devicesInCheckpoint } from '../../../../cni/kactus/device-checkpoint.ts'
import { JsonError } from '../../../../cni/spec/json.ts'
import { randomInput, tryMany } from '../random-input.ts'

const NIC = 'vendor.test/nic'

function checkpoint(...entries: readonly unknown[]): string {
  return JSON.stringify({ Data: { PodDeviceEntries: entries, RegisteredDevices: {} }, Checksum: 1 })
}

function entry(ids: unknown, more: Readonly<Record<string, unknown>> = {}) {
  return { PodUID: 'u1', ContainerName: 'main', ResourceName: NIC, DeviceIDs: ids, AllocResp: '', ...more }
}

interface ReadCase {
  readonly name: string
  readonly text: string
  readonly want: readonly string[] | undefined
}

const readCases: readonly ReadCase[] = [
  { name: 'a list, as up to 1.19', text: checkpoint(entry(['a', 'b'])), want: ['a', 'b'] },
  { name: 'lists by NUMA node', text: checkpoint(entry({ '0': ['a'], '-1': ['b'] })), want: ['a', 'b'] },
  { name: 'several containers', text: checkpoint(entry(['a']), entry({ '1': ['b'] })), want: ['a', 'b'] },
  {
    name: 'other pods and resources',
    text: checkpoint(entry(['x'], { PodUID: 'u2' }), entry(['y'], { ResourceName: 'z' }), entry(['a'])),
    want: ['a'],
  },
  { name: 'a pod with other resources only', text: checkpoint(entry(['y'], { ResourceName: 'z' })), want: [] },
  { name: 'a pod it does not know', text: checkpoint(entry(['x'], { PodUID: 'u2' })), want: undefined },
  { name: 'no pods', text: checkpoint(), want: undefined },
  { name: 'ids of null', text: checkpoint(entry(null)), want: [] },
  { name: 'ids that are text', text: checkpoint(entry('a')), want: [] },
  { name: 'ids that are no text', text: checkpoint(entry([1, null, 'a'])), want: ['a'] },
  { name: 'ids by node that are no lists', text: checkpoint(entry({ '0': 'a', '1': ['b'] })), want: ['b'] },
  { name: 'entries that are no objects', text: checkpoint('x', null, entry(['a'])), want: ['a'] },
  { name: 'another shape', text: '{"Data":{"PodDeviceEntries":{}}}', want: undefined },
  { name: 'no data', text: '{}', want: undefined },
  { name: 'a list', text: '[]', want: undefined },
]

for (const { name, text, want } of readCases) {
  t.test(name, async t => {
    t.strictSame(devicesInCheckpoint(text, 'u1', NIC), want)
  })
}

t.test('random damage is no JSON, or gives texts only', async t => {
  const random = randomInput(79)
  const whole = checkpoint(entry({ '0': ['a'] }), entry(['b']))
  const { surprises } = tryMany(
    3000,
    () => random.damaged(whole),
    text => {
      if (devicesInCheckpoint(text, 'u1', NIC)?.some(id => typeof id !== 'string')) throw new Error('no text')
    },
    error => error instanceof JsonError,
  )
  t.strictSame(surprises, [])
})
