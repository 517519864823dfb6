import { inspect } from 'node:util'
import t from 'tap'
import { DeviceFault } from '../../../../agent/wireguard/device.ts'
import { createReplyParts } from '../../../../agent/wireguard/reply-parts.ts'
import { parseDump } from '../../../../agent/wireguard/wg-dump.ts'
import { randomInput, tryMany } from '../../cni/random-input.ts'
import { dump, faultOf, keyPair } from './samples.ts'

const parse = (text: string) => parseDump(Buffer.from(text, 'latin1'), createReplyParts())

t.test('a device and its peers', async t => {
  t.match(parse(dump), {
    publicKey: keyPair(0).publicKey,
    listenPort: 51821,
    fwmark: 0x33,
    peers: [
      {
        publicKey: keyPair(1).publicKey,
        endpoint: { address: '203.0.113.1', port: 51821 },
        allowedIPs: [{ text: '10.42.1.0/24' }, { text: 'fd00::/64' }],
        handshakeMs: 1_700_000_000_000,
        rxBytes: 7,
        txBytes: 8,
        keepalive: 20,
      },
      {
        publicKey: keyPair(2).publicKey,
        endpoint: undefined,
        allowedIPs: [],
        handshakeMs: undefined,
        rxBytes: 0,
        txBytes: 0,
        keepalive: 0,
      },
    ],
  })
})

t.test('no key is kept but public ones', async t => {
  const kept = inspect(parse(dump), { depth: null })
  t.notMatch(kept, keyPair(0).privateKey, 'private')
  t.notMatch(kept, keyPair(9).privateKey, 'preshared')
})

t.test('junk is a fault, and says nothing of what was read', async t => {
  const secret = keyPair(0).privateKey
  for (const [name, text] of Object.entries({
    empty: '',
    'three columns': dump.replace('\t51821', ''),
    'a bad port': dump.replace('51821', secret),
    'a bad mark': dump.replace('0x33', 'on'),
    'a bad key': dump.replace(keyPair(1).publicKey, 'key'),
    'a bad network': dump.replace('10.42.1.0/24', '10.42.1.0/x'),
    'a bad endpoint': dump.replace('203.0.113.1:', ''),
    'half a line': dump.slice(0, -8),
  })) {
    const fault = faultOf(() => parse(text))
    t.equal(fault.code, 'BadReply', name)
    t.notMatch(fault.message, secret, `${name}: no key in the message`)
  }
})

t.test('damaged output', async t => {
  const input = randomInput(13)
  const isFault = (error: unknown) => error instanceof DeviceFault && error.code === 'BadReply'
  const trial = tryMany(5000, () => input.damaged(dump), parse, isFault)
  t.strictSame(trial.surprises, [])
  t.ok(trial.accepted > 100 && trial.accepted < 5000, `${trial.accepted} of 5000 were still dumps`)
})
