import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode, type RecordType, TRUNCATED_RESPONSE } from 'dns-packet'

/** One query as it came in. */
export interface Asked {
  readonly id: number
  readonly name: string
  readonly type: RecordType
  readonly way: 'udp' | 'tcp'
  /** How many times this server was asked this before, by either way. */
  readonly before: number
  readonly sourcePort: number
}

/** What the server sends back to a query: whole messages, in order; none = silence. */
export type DnsScript = (asked: Asked) => readonly Buffer[] | Promise<readonly Buffer[]>

/** How one server is set up. */
export interface DnsServerOptions {
  readonly script: DnsScript
  readonly host?: string
  /** 0 or absent = any free one. */
  readonly port?: number
  /** `false`: nothing listens on TCP. */
  readonly tcp?: boolean
}

/** A name server on loopback that does exactly what its script says, right or wrong. */
export interface DnsServer {
  readonly host: string
  readonly port: number
  readonly asked: readonly Asked[]
  stop(): Promise<void>
}

/** The records of an ordinary answer. */
export function answer(asked: Asked, records: Readonly<Record<string, readonly string[]>>): Buffer {
  const answers = (records[asked.type] ?? []).map(
    data => ({ type: asked.type, name: asked.name, data, ttl: 5 }) as Answer,
  )
  return message(asked, { answers })
}

/** A refusal or failure: `NXDOMAIN`, `SERVFAIL`, `REFUSED`, `FORMERR`. */
export function rcode(asked: Asked, code: keyof typeof rcodes, { question = true } = {}): Buffer {
  return message(asked, { flags: rcodes[code], question })
}

/** An answer that did not fit: the flag is set and the records are missing. */
export function truncated(asked: Asked): Buffer {
  return message(asked, { flags: TRUNCATED_RESPONSE })
}

/** Two aliases that point at each other. */
export function cnameLoop(asked: Asked): Buffer {
  const other = `loop.${asked.name}`
  const alias = (name: string, data: string): Answer => ({ type: 'CNAME', name, data, ttl: 5 })
  return message(asked, { answers: [alias(asked.name, other), alias(other, asked.name)] })
}

/** An answer with any records. */
export function records(asked: Asked, answers: Answer[]): Buffer {
  return message(asked, { answers })
}

/** The same message as a reply to another query. */
export function withOtherId(reply: Buffer): Buffer {
  const copy = Buffer.from(reply)
  copy.writeUInt16BE((reply.readUInt16BE(0) + 1) & 0xffff, 0)
  return copy
}

/** A reply to a question that nobody asked. */
export function otherQuestion(asked: Asked, data: string): Buffer {
  return answer({ ...asked, name: 'other.test' }, { [asked.type]: [data] })
}

/** A message with the right id that ends in the middle. */
export function garbled(asked: Asked): Buffer {
  return answer(asked, { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] }).subarray(0, -3)
}

/** Starts a server; UDP and TCP share the port. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const host = options.host ?? '127.0.0.1'
  for (let tries = 1; ; tries++) {
    const udp = createSocket('udp4')
    try {
      udp.bind({ address: host, port: options.port ?? 0 })
      await once(udp, 'listening')
      return await serve(options, host, udp)
    } catch (error) {
      udp.close()
      // A free UDP port may be taken on TCP; then another one will do.
      if (options.port || tries === 20) throw error
    }
  }
}

/** Starts one server per script on 127.0.0.1, 127.0.0.2 and so on, all on one port; null = nobody listens there. */
export async function startDnsServers(scripts: readonly (DnsScript | null)[]): Promise<readonly DnsServer[]> {
  for (let tries = 1; ; tries++) {
    const started: DnsServer[] = []
    try {
      for (const [index, script] of scripts.entries()) {
        const where = { host: `127.0.0.${index + 1}`, port: started[0]?.port ?? 0 }
        if (script !== null) started.push(await startDnsServer({ script, ...where }))
      }
      return started
    } catch (error) {
      await Promise.all(started.map(server => server.stop()))
      if (tries === 10) throw error
    }
  }
}

async function serve(options: DnsServerOptions, host: string, udp: Socket): Promise<DnsServer> {
  const asked: Asked[] = []
  const { port } = udp.address()
  const note = (query: Buffer, way: Asked['way'], sourcePort: number): Asked => {
    const one = readQuery(query, { way, sourcePort, earlier: asked })
    asked.push(one)
    return one
  }
  let stopped = false
  udp.on('message', async (query, peer) => {
    const replies = await options.script(note(query, 'udp', peer.port))
    // The script may have taken its time; nobody waits for the answer after the test's end.
    if (!stopped) for (const reply of replies) udp.send(reply, peer.port, peer.address)
  })
  const server =
    options.tcp === false
      ? undefined
      : await listenTcp(host, port, (query, from) => options.script(note(query, 'tcp', from)))
  return {
    host,
    port,
    asked,
    async stop() {
      stopped = true
      udp.close()
      await once(udp, 'close')
      await server?.[Symbol.asyncDispose]()
    },
  }
}

async function listenTcp(
  host: string,
  port: number,
  reply: (query: Buffer, sourcePort: number) => ReturnType<DnsScript>,
): Promise<Server> {
  const server = createServer(socket => {
    socket.on('error', () => socket.destroy())
    socket.once('data', async data => {
      for (const each of await reply(data.subarray(2), socket.remotePort ?? 0)) socket.write(withLength(each))
      socket.end()
    })
  })
  server.listen(port, host)
  await once(server, 'listening')
  return server
}

const rcodes = { FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const

interface Parts {
  readonly answers?: Answer[]
  readonly flags?: number
  readonly question?: boolean
}

function message({ id, name, type }: Asked, { answers = [], flags = 0, question = true }: Parts): Buffer {
  const questions = question ? [{ name, type, class: 'IN' } as const] : []
  return encode({ type: 'response', id, flags: AUTHORITATIVE_ANSWER | flags, questions, answers })
}

function readQuery(query: Buffer, how: { way: Asked['way']; sourcePort: number; earlier: readonly Asked[] }): Asked {
  const { id = 0, questions = [] } = decode(query)
  const { name = '', type = 'A' } = questions[0] ?? {}
  const before = how.earlier.filter(each => each.name === name && each.type === type).length
  return { id, name, type, way: how.way, before, sourcePort: how.sourcePort }
}

function withLength(reply: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(reply.length)
  return Buffer.concat([length, reply])
}
