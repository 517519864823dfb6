import { readlink } from 'node:fs/promises'
import t from 'tap'
import { withStanding } from '../../../../agent/sandbox/standing.ts'
import { CniError } from '../../../../cni/spec/errors.ts'
import { makeBed } from './sandbox-bed.ts'

const { signal } = new AbortController()
const whole = ['ADD bridge /proc/PID/fd/FD, 1 on record', 'DEL bridge /proc/PID/fd/FD, 1 on record']

t.test('a standing sandbox is a namespace that this process holds, on record while it stands', async t => {
  let netns = ''
  const bed = await makeBed(t, {
    answer({ variables }) {
      netns = variables.CNI_NETNS ?? ''
    },
  })
  await withStanding(bed.options, signal, async ({ name, network, addresses }) => {
    t.equal(name, 'net')
    t.match(JSON.parse(network), { name: 'net', plugins: [{ type: 'bridge' }] })
    t.strictSame(addresses, ['10.1.0.2'])
    t.match(netns, new RegExp(`^/proc/${process.pid}/fd/\\d+$`))
    t.match(await readlink(netns), /^net:\[\d+\]$/)
    t.strictSame(bed.calls, whole.slice(0, 1))
    t.equal(await bed.records(), 1)
  })
  t.strictSame(bed.calls, whole)
  t.equal(await bed.records(), 0)
  await t.rejects(readlink(netns), { code: 'ENOENT' }, 'it is held no more')
})

t.test('a network that refuses it is undone and told of', async t => {
  const bed = await makeBed(t, {
    answer({ command }) {
      if (command === 'ADD') throw new CniError(999, 'no address left')
    },
  })
  const never = async () => t.fail('there is none')
  await t.rejects(withStanding(bed.options, signal, never), { code: 'SandboxRefused', message: /no address left/ })
  t.strictSame(bed.calls, whole)
  t.equal(await bed.records(), 0)
})

t.test('no network, no program', async t => {
  const never = async () => t.fail('there is none')
  const bare = await makeBed(t, { conf: null })
  await t.rejects(withStanding(bare.options, signal, never), { code: 'NoNetwork' })
  const without = await makeBed(t, { unshare: '' })
  await t.rejects(withStanding(without.options, signal, never), { code: 'NoSandbox' })
  t.strictSame([...bare.calls, ...without.calls], [])
})
