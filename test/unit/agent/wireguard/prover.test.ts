import { setImmediate as settle } from 'node:timers/promises'
import t from 'tap'
import { classifyDevices } from '../../../../agent/wireguard/classify.ts'
import type { Incident } from '../../../../agent/wireguard/heal-plan.ts'
import { createProver } from '../../../../agent/wireguard/prover.ts'
import { peer, reading, surroundings } from './mesh.ts'
import { keyPair } from './samples.ts'

const devices = classifyDevices(
  [
    reading(
      Array.from({ length: 20 }, (_, index) => peer(index + 2, '203.0.113.2:1')).concat(
        peer(40, undefined, { allowed: '10.42.9.0/24' }),
      ),
    ),
  ],
  surroundings(),
)

function incident(number: number, rightMs: number | undefined): Incident {
  const right = rightMs === undefined ? undefined : { atMs: rightMs, rxBytes: 0 }
  const { publicKey } = keyPair(number)
  return {
    device: 'wg0',
    publicKey,
    node: `n${number}`,
    trouble: 'nested',
    firstMs: 0,
    dueMs: 0,
    right,
    seenMs: 0,
    setMs: 0,
    reverted: false,
    provedMs: undefined,
  }
}

function bed() {
  const sends: { address: string; signal: AbortSignal; end: (error?: Error) => void }[] = []
  const prover = createProver(
    (address, signal) =>
      new Promise((resolve, reject) => {
        sends.push({ address, signal, end: error => (error ? reject(error) : resolve()) })
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
  )
  return { sends, prover }
}

const key = `wg0 ${keyPair(2).publicKey}`

t.test('a peer that was put right is sent a packet at its own address, until it answers', async t => {
  const { sends, prover } = bed()
  prover.follow(devices, [incident(2, undefined)])
  t.equal(sends.length, 0, 'not while it is wrong')
  prover.follow(devices, [incident(2, 100)])
  prover.follow(devices, [incident(2, 100)])
  t.strictSame(
    sends.map(({ address }) => address),
    ['10.101.0.2'],
    'one at a time',
  )
  sends[0]?.end(new Error('lost'))
  await settle()
  t.notOk(prover.proved().has(key))
  prover.follow(devices, [incident(2, 100)])
  sends[1]?.end()
  await settle()
  t.ok(prover.proved().has(key))
  prover.follow(devices, [incident(2, 100)])
  t.equal(sends.length, 2, 'once is enough')
})

t.test('a proof is for the endpoint it was made with', async t => {
  const { sends, prover } = bed()
  prover.follow(devices, [incident(2, 100)])
  prover.follow(devices, [incident(2, undefined)])
  t.ok(sends[0]?.signal.aborted)
  sends[0]?.end()
  await settle()
  t.notOk(prover.proved().has(key))
  prover.follow(devices, [incident(2, 200)])
  sends[1]?.end()
  await settle()
  t.ok(prover.proved().has(key))
  prover.follow(devices, [])
  t.notOk(prover.proved().has(key))
})

t.test('a few at a time, and none that has no address of its own', async t => {
  const { sends, prover } = bed()
  const all = Array.from({ length: 20 }, (_, index) => incident(index + 2, 100))
  prover.follow(devices, [incident(40, 100), ...all])
  t.equal(sends.length, 16)
  prover.stop()
  t.ok(sends.every(({ signal }) => signal.aborted))
})
