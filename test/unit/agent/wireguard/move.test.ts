import t from 'tap'
import { kernelDevices, userspaceDevices } from '../../../../agent/wireguard/sources.ts'
import type { RunWg } from '../../../../agent/wireguard/wg-program.ts'
import { dump, keyPair } from './samples.ts'
import { SocketFolder } from './uapi-server.ts'

const key = keyPair(1).publicKey
const to = { address: '203.0.113.1', port: 51821 }
const name = Buffer.from('wg0')

t.test('a device of a program is told to change what is there, and no more', async t => {
  const folder = new SocketFolder(t)
  const asked = await folder.serve('wg0', ['errno=0\n\n'])
  const source = userspaceDevices(folder.root)
  await source.list(new Set(['wg0']))
  await source.move(name, key, to)
  t.match(asked[0], /^set=1\npublic_key=[0-9a-f]{64}\nupdate_only=true\nendpoint=203\.0\.113\.1:51821\n\n$/)
})

t.test('a device that refuses', async t => {
  const folder = new SocketFolder(t)
  await folder.serve('wg0', ['errno=-22\n\n'])
  const source = userspaceDevices(folder.root)
  await source.list(new Set(['wg0']))
  await t.rejects(source.move(name, key, to), { code: 'BadReply' })
  await t.rejects(source.move(Buffer.from('gone'), key, to), { code: 'Unreachable' })
})

const without = dump
  .split('\n')
  .filter(line => !line.startsWith(key))
  .join('\n')
const bare = `${without}${[key, '(none)', '203.0.113.1:51821', '(none)', '0', '0', '0', 'off'].join('\t')}\n`

for (const row of [
  {
    name: 'a peer that is there',
    dumps: [dump, dump],
    want: ['show', `set wg0 peer ${key} endpoint 203.0.113.1:51821`, 'show'],
  },
  { name: 'one that was gone before', dumps: [without], want: ['show'] },
  {
    name: 'one that goes in between is not left as a new one',
    dumps: [dump, bare],
    want: ['show', `set wg0 peer ${key} endpoint 203.0.113.1:51821`, 'show', `set wg0 peer ${key} remove`],
  },
]) {
  t.test(`a device of the kernel: ${row.name}`, async t => {
    const asked: string[] = []
    const dumps = [...row.dumps]
    const wg: RunWg = async args => {
      asked.push(args[0] === 'show' ? 'show' : args.join(' '))
      return Buffer.from(args[0] === 'show' ? (dumps.shift() ?? '') : '')
    }
    await kernelDevices(wg).move(name, key, to)
    t.strictSame(asked, row.want)
  })
}
