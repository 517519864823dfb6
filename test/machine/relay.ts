import { connect, createServer, type Server } from 'node:net'

// A program, started in a network: joins an address of that network to what every network of this machine reaches, a
// UNIX socket, or a listening socket that it is handed. Told where by its first message.

interface Relay {
  readonly host: string
  readonly port: number
  readonly socketPath?: string
}

process.once('message', ({ host, port, socketPath }: Relay, handed: Server | undefined) => {
  const server = handed ?? createServer({ allowHalfOpen: true })
  server.on('connection', client => {
    const upstream = connect({ host, port, allowHalfOpen: true })
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
    client.pipe(upstream).pipe(client)
  })
  const ready = () => process.send?.('ready')
  if (handed === undefined) server.listen(socketPath, ready)
  else ready()
})
