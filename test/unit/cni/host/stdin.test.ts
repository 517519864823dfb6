import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { readAll } from '../../../../cni/host/stdin.ts'

const limits = { maxBytes: 1_000_000, timeoutMs: 20_000 }

function opened(t: Test, path: string, flags: number = constants.O_RDONLY): number {
  const descriptor = openSync(path, flags)
  t.teardown(() => closeSync(descriptor))
  return descriptor
}

function fileWith(t: Test, content: string | Uint8Array): number {
  const path = join(t.testdir({}), 'input')
  writeFileSync(path, content)
  return opened(t, path)
}

function pipe(t: Test): string {
  const path = join(t.testdir({}), 'pipe')
  execFileSync('mkfifo', [path])
  return path
}

interface ReadCase {
  readonly name: string
  readonly content: string
}

const readCases: readonly ReadCase[] = [
  { name: 'nothing', content: '' },
  { name: 'a document', content: '{"cniVersion":"1.1.0"}' },
  { name: 'letters that lie across two pieces', content: `x${'é'.repeat(100_000)}` },
]

for (const { name, content } of readCases) {
  t.test(`read whole: ${name}`, async t => {
    t.equal(await readAll(fileWith(t, content), limits), content)
  })
}

t.test('as much as is allowed, and not a byte more', async t => {
  t.equal((await readAll(fileWith(t, 'x'.repeat(1000)), { ...limits, maxBytes: 1000 })).length, 1000)
  await t.rejects(readAll(fileWith(t, 'x'.repeat(1001)), { ...limits, maxBytes: 1000 }), {
    name: 'InputError',
    code: 'TooLarge',
  })
})

t.test('an endless input ends at the limit', async t => {
  await t.rejects(readAll(opened(t, '/dev/zero'), limits), { code: 'TooLarge' })
})

t.test('an input that cannot be read', async t => {
  await t.rejects(readAll(opened(t, t.testdir({})), limits), { code: 'Unreadable', message: /EISDIR/ })
})

t.test('an input that never ends and says nothing', async t => {
  const path = pipe(t)
  // Left open: the reader looks at it once more before it finds its end.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(path, constants.O_WRONLY)
  await t.rejects(readAll(descriptor, { ...limits, timeoutMs: 50 }), { name: 'InputError', code: 'TimedOut' })
  closeSync(writer)
})

t.test('a pipe that is set to give nothing at once is asked again', async t => {
  const path = pipe(t)
  const descriptor = opened(t, path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(path, constants.O_WRONLY)
  const reading = readAll(descriptor, limits)
  await setImmediate()
  writeSync(writer, '{"a":')
  await setImmediate()
  writeSync(writer, '1}')
  closeSync(writer)
  t.equal(await reading, '{"a":1}')
})
