import { connect, createServer } from 'node:net'

// A program, started inside a network namespace: joins a UNIX socket, which every namespace of the machine reaches,
// to an address of that namespace. Told where over its message channel, and ends with it.

interface RelayConfig {
  readonly socketPath: string
  readonly host: string
  readonly port: number
}

process.once('message', (config: RelayConfig) => {
  const server = createServer({ allowHalfOpen: true }, client => {
    const upstream = connect({ host: config.host, port: config.port, allowHalfOpen: true })
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
    client.pipe(upstream).pipe(client)
  })
  server.listen(config.socketPath, () => process.send?.({ listening: true }))
})
process.once('disconnect', () => process.exit(0))
