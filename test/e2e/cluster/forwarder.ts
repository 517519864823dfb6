import { connect, type Server, type Socket } from 'node:net'

// A program: takes connections on the listening socket it is given and passes them on to the address it is told,
// which only its own network reaches. Ends with the cluster, not with the one who started it.

interface Target {
  readonly host: string
  readonly port: number
}

process.once('message', (target: Target, server: Server) => {
  server.on('connection', (client: Socket) => {
    const upstream = connect(target)
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
    client.pipe(upstream).pipe(client)
  })
  process.send?.('ready')
})
