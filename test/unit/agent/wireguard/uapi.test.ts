import { inspect } from 'node:util'
import t from 'tap'
import { DeviceFault } from '../../../../agent/wireguard/device.ts'
import { createReplyParts } from '../../../../agent/wireguard/reply-parts.ts'
import { parseUapi, readErrno, setEndpointRequest } from '../../../../agent/wireguard/uapi.ts'
import { randomInput, tryMany } from '../../cni/random-input.ts'
import { faultOf, keyPair, uapiReply } from './samples.ts'

const isFault = (error: unknown) => error instanceof DeviceFault && error.code === 'BadReply'
const parse = (text: string) => parseUapi(Buffer.from(text, 'latin1'), createReplyParts())

t.test('a device and its peers', async t => {
  const device = parse(uapiReply(2))
  t.match(device, { publicKey: keyPair(0).publicKey, listenPort: 51821, fwmark: 51 })
  t.equal(device.peers.length, 2)
  t.match(device.peers[0], {
    publicKey: keyPair(1).publicKey,
    endpoint: { address: '203.0.113.1', port: 51821 },
    allowedIPs: [{ text: '10.0.0.0/24', family: 4, length: 24 }, { text: '10.0.1.0/24' }],
    keepalive: 20,
    handshakeMs: 1_700_000_000_250,
    rxBytes: 700,
    txBytes: 648,
  })
})

t.test('no key is kept but public ones', async t => {
  const kept = inspect(parse(uapiReply(2)), { depth: null })
  for (const secret of ['privateHex', 'privateKey'] as const) t.notMatch(kept, keyPair(0)[secret], secret)
  t.notMatch(kept, 'ab'.repeat(32), 'preshared')
  t.notMatch(kept, Buffer.from('ab'.repeat(32), 'hex').toString('base64'), 'preshared')
})

t.test('little to say', async t => {
  const none = { publicKey: undefined, listenPort: 0, fwmark: 0, peers: [] }
  t.strictSame(parse('errno=0\n\n'), none)
  t.strictSame(parse(`private_key=${'0'.repeat(64)}\nlisten_port=0\nerrno=0\n\n`), none, 'a key that is none')
  const quiet = parse(
    `public_key=${keyPair(1).publicHex}\nlast_handshake_time_sec=0\nlast_handshake_time_nsec=0\nerrno=0\n\n`,
  )
  t.match(quiet.peers[0], { endpoint: undefined, handshakeMs: undefined, allowedIPs: [] })
  t.equal(
    parse(uapiReply(1).replace('protocol_version', 'constructor')).peers.length,
    1,
    'what a newer one says besides',
  )
})

t.test('junk is a fault, and says nothing of what was read', async t => {
  const whole = uapiReply(1)
  const secret = keyPair(0).privateHex
  for (const [name, text] of Object.entries({
    empty: '',
    half: whole.slice(0, -2),
    'no end': whole.replace('errno=0', 'errno='),
    'an error': 'errno=-22\n\n',
    'no key=value': whole.replace('listen_port=', 'listen_port '),
    'a bad number': whole.replace('rx_bytes=700', 'rx_bytes=-1'),
    'a bad port': whole.replace('listen_port=51821', `listen_port=${secret}`),
    'a bad key': whole.replace('public_key=', 'public_key=zz'),
    'a bad endpoint': whole.replace('endpoint=203.0.113.1', 'endpoint=203.0.113'),
    'a bad network': whole.replace('/24', '/99'),
  })) {
    const fault = faultOf(() => parse(text))
    t.equal(fault.code, 'BadReply', name)
    t.notMatch(fault.message, secret, `${name}: no key in the message`)
  }
})

t.test('thousands', async t => {
  t.equal(parse(uapiReply(1, 5000)).peers[0]?.allowedIPs.length, 5000, 'networks of a peer')
  t.equal(parse(uapiReply(1000)).peers.length, 1000, 'peers')
})

t.test('the end of a reply', async t => {
  t.equal(readErrno(Buffer.from(uapiReply(1))), 0)
  t.equal(readErrno(Buffer.from('errno=0\n\n')), 0)
  t.equal(readErrno(Buffer.from('errno=-22\n\n')), 22)
  t.equal(readErrno(Buffer.from('xerrno=0\n\n')), undefined)
  t.equal(readErrno(Buffer.from('errno=0\n')), undefined)
})

t.test('an endpoint is moved, never a peer made', async t => {
  const { publicKey, publicHex } = keyPair(1)
  t.equal(
    setEndpointRequest(publicKey, { address: '2001:db8::1', port: 51821 }),
    `set=1\npublic_key=${publicHex}\nupdate_only=true\nendpoint=[2001:db8::1]:51821\n\n`,
  )
})

t.test('damaged replies', async t => {
  const input = randomInput(11)
  const trial = tryMany(5000, () => input.damaged(uapiReply(2)), parse, isFault)
  t.strictSame(trial.surprises, [])
  t.ok(trial.accepted > 100 && trial.accepted < 5000, `${trial.accepted} of 5000 were still replies`)
})

t.test('random bytes', async t => {
  const input = randomInput(12)
  const pieces = ['public_key=', 'private_key=', 'allowed_ip=', '=', '\n', '\n\n', 'errno=0', '\xff', '\0'] as const
  const noise = () => `${input.text([...pieces], 12)}errno=0\n\n`
  t.strictSame(tryMany(5000, noise, parse, isFault).surprises, [])
})
