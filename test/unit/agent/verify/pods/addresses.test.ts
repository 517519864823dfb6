import t from 'tap'
import { podAddressesOf } from '../../../../../agent/verify/pods/addresses.ts'
import { network } from '../../wireguard/mesh.ts'

t.test('what is no address is asked for by nobody', async t => {
  const found = podAddressesOf([
    network(1, { podAddresses: ['10.42.1.9', 'fd00:42::9'] }),
    network(2),
    network(3, { podAddresses: ['example.com', '', '10.42.3.9/24', '10.42.3.9'] }),
    network(4, { podAddresses: ['10.42.4.1', '10.42.4.2', '10.42.4.3'] }),
    network(5, { podAddresses: ['*'] }),
  ])
  t.strictSame(
    [...found],
    [
      ['n1', ['10.42.1.9', 'fd00:42::9']],
      ['n3', ['10.42.3.9']],
      ['n4', ['10.42.4.1', '10.42.4.2']],
    ],
  )
})
