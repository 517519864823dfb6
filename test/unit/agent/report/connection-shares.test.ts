import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { type Shares, shareConnections } from '../../../../agent/report/connection-shares.ts'

/** A server that answers what it is told, with the shares. */
async function start(t: Test, shares: Shares) {
  const server = createServer(socket => socket.on('error', () => undefined).pipe(socket))
  shareConnections(server, shares)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets: Socket[] = []
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as { readonly port: number }
  /** Opens connections from 127.0.0.FROM one after the other. */
  const open = async (from: number, count: number): Promise<Socket[]> => {
    const opened: Socket[] = []
    for (let left = count; left > 0; left -= 1) {
      const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${from}` })
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      opened.push(socket)
    }
    sockets.push(...opened)
    return opened
  }
  return { server, open }
}

/** Whether the server answers on the connection, or has dropped it. */
async function answers(socket: Socket): Promise<boolean> {
  const answer = once(socket, 'data').then(
    () => true,
    () => false,
  )
  if (!socket.writable) return false
  socket.write('x')
  return await Promise.race([answer, new Promise<false>(resolve => socket.on('close', () => resolve(false)))])
}

async function whichAnswer(sockets: readonly Socket[]): Promise<readonly boolean[]> {
  return await Promise.all(sockets.map(answers))
}

t.test('shares: of 101 connections of one address the newest stay, and another address is served', async t => {
  const { open } = await start(t, { most: 100, mostOfOne: 16 })
  const idle = await open(1, 101)
  const [other] = await open(2, 1)
  t.same(await whichAnswer(other ? [other] : []), [true])
  t.same(
    await whichAnswer(idle),
    idle.map((_, at) => at >= 85),
  )
})

t.test('shares: where the server is full, whoever has most gives one up', async t => {
  const { open } = await start(t, { most: 10, mostOfOne: 6 })
  const [many, few] = [await open(1, 6), await open(2, 4)]
  const late = await open(3, 2)
  t.same(await whichAnswer(many), [false, false, true, true, true, true])
  t.same(
    await whichAnswer([...few, ...late]),
    few.concat(late).map(() => true),
  )
})

t.test('shares: one that has ended is not counted', async t => {
  const { open, server } = await start(t, { most: 10, mostOfOne: 2 })
  const [first, second] = await open(1, 2)
  second?.end()
  while ((await countOf(server)) > 1) await new Promise(setImmediate)
  const [third] = await open(1, 1)
  t.same(await whichAnswer([first, third].flatMap(each => each ?? [])), [true, true])
})

function countOf(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  )
}
