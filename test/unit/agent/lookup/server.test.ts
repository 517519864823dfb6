import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type ServerLimits, startLineServer } from '../../../../agent/lookup/server.ts'
import { exchange, socketFolder } from './socket-folder.ts'

interface Running {
  readonly path: string
  readonly asked: readonly string[]
  readonly refused: () => number
  readonly close: () => Promise<void>
}

const patient: ServerLimits = { mostConnections: 4, longestMs: 60_000 }

async function start(
  t: Test,
  limits: ServerLimits = patient,
  answer?: (line: string) => Promise<string>,
): Promise<Running> {
  const path = join(socketFolder(t), 's')
  const asked: string[] = []
  let refused = 0
  const echo = async (line: string) => {
    asked.push(line)
    return `you said ${line}\n`
  }
  const server = await startLineServer({
    path,
    limits,
    answer: answer ?? echo,
    onRefused: () => {
      refused++
    },
    onBroken: error => t.fail(error.message),
  })
  t.teardown(() => server.close())
  return { path, asked, refused: () => refused, close: () => server.close() }
}

interface ExchangeCase {
  readonly name: string
  readonly pieces: readonly (string | Uint8Array)[]
  readonly says: string | RegExp
  readonly refused: number
}

const cases: readonly ExchangeCase[] = [
  { name: 'a line', pieces: ['hello\n'], says: 'you said hello\n', refused: 0 },
  { name: 'a line in pieces', pieces: ['he', 'l', 'lo', '\n'], says: 'you said hello\n', refused: 0 },
  {
    name: 'a letter cut in two',
    pieces: [Buffer.from('é\n').subarray(0, 1), Buffer.from('é\n').subarray(1)],
    says: 'you said é\n',
    refused: 0,
  },
  { name: 'an empty line', pieces: ['\n'], says: 'you said \n', refused: 0 },
  { name: 'two lines: the first is answered', pieces: ['a\nb\n'], says: 'you said a\n', refused: 0 },
  { name: 'the longest line', pieces: ['x'.repeat(16_384), '\n'], says: /^you said x{16384}\n$/, refused: 0 },
  { name: 'a line too long', pieces: ['x'.repeat(16_385), '\n'], says: /^(error:(EPIPE|ECONNRESET))?$/, refused: 1 },
  {
    name: 'no end',
    pieces: Array.from({ length: 100 }, () => 'x'.repeat(10_000)),
    says: /^(error:(EPIPE|ECONNRESET))?$/,
    refused: 1,
  },
]

for (const { name, pieces, says, refused } of cases) {
  t.test(name, async t => {
    const server = await start(t)
    const said = await exchange(server.path, ...pieces)
    if (typeof says === 'string') t.equal(said, says)
    else t.match(said, says)
    t.equal(server.refused(), refused)
    t.equal(await exchange(server.path, 'next\n'), 'you said next\n', 'and the next one is served')
  })
}

t.test('who says nothing is hung up on', async t => {
  const server = await start(t, { ...patient, longestMs: 20 })
  t.equal(await exchange(server.path), '')
  // It may be hung up on before a word of it was read.
  t.match(await exchange(server.path, 'no end'), /^(error:(EPIPE|ECONNRESET))?$/)
  t.equal(server.refused(), 2)
  t.same(server.asked, [])
})

t.test('who hangs up before the answer does no harm', async t => {
  const gives: ((text: string) => void)[] = []
  const server = await start(t, patient, () => new Promise(resolve => gives.push(resolve)))
  const socket = await open(server.path)
  socket.write('hello\n')
  await comes(() => gives[0])
  socket.destroy()
  const second = exchange(server.path, 'second\n')
  const give = await comes(() => gives[1])
  gives[0]?.('late\n')
  give('answer\n')
  t.equal(await second, 'answer\n')
  t.equal(server.refused(), 0)
})

t.test('an answer that fails ends the connection', async t => {
  const server = await start(t, patient, () => Promise.reject(new Error('not foreseen')))
  t.equal(await exchange(server.path, 'hello\n'), '')
  t.equal(server.refused(), 1)
})

t.test('one connection too many is refused, and room comes again', async t => {
  const server = await start(t)
  const idle = await Promise.all([1, 2, 3, 4].map(() => open(server.path)))
  t.match(await exchange(server.path, 'fifth\n'), /^(error:(EPIPE|ECONNRESET))?$/)
  t.equal(server.refused(), 1)
  await Promise.all(idle.map(end))
  t.equal(await exchange(server.path, 'sixth\n'), 'you said sixth\n')
})

t.test('its end ends open connections', async t => {
  const server = await start(t)
  const waiting = exchange(server.path, 'no end')
  await server.close()
  t.match(await waiting, /^(error:ECONNRESET)?$/)
  t.equal(await exchange(server.path, 'x\n'), 'error:ENOENT')
})

t.test('a path that cannot be had', async t => {
  const path = join(socketFolder(t), 'x'.repeat(200))
  const options = { path, answer: async () => '', onRefused: () => undefined, onBroken: () => undefined }
  await t.rejects(startLineServer(options), { code: 'EINVAL' })
})

function open(path: string): Promise<Socket> {
  return new Promise(resolve => {
    const socket: Socket = createConnection(path, () => resolve(socket))
    socket.on('error', () => undefined)
  })
}

/** Resolves when the server has noticed too. */
function end(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    socket.on('close', () => resolve())
    socket.end()
    socket.resume()
  })
}

async function comes<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look()
    if (found !== undefined) return found
    await new Promise(resolve => setTimeout(resolve, 1))
  }
}
