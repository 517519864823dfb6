import t from 'tap'
import { interfaceName } from '../../../../cni/networks/interface-name.ts'
import { interfaceNameFault } from '../../../../cni/spec/names.ts'
import { nastyPieces, randomInput, tryMany } from '../random-input.ts'

interface NameCase {
  readonly network: string
  readonly want: string
}

const cases: readonly NameCase[] = [
  { network: 'green', want: 'net9f27410725ab' },
  { network: 'blue', want: 'net48d6215903df' },
  { network: '', want: 'netd41d8cd98f00' },
]

for (const { network, want } of cases) {
  t.test(`network "${network}" is on ${want}`, async t => {
    t.equal(interfaceName(network), want)
  })
}

t.test('whatever the network is called, the kernel takes the name', async t => {
  const random = randomInput(5)
  const make = () => random.text(nastyPieces, 10)
  const { surprises } = tryMany(
    1000,
    make,
    network => {
      const name = interfaceName(network)
      if (!/^net[0-9a-f]{12}$/.test(name) || interfaceNameFault(name) !== undefined) throw new Error(name)
    },
    () => false,
  )
  t.strictSame(surprises, [])
})
