import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http2'
import { dirname } from 'node:path'

/** What kubelet granted: pod name -> container -> resource -> device ids. */
export type Grants = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>>>

/** kubelet's pod-resources API on a UNIX socket, for pods of namespace `default`. */
export async function startPodResources(socket: string, grants: Grants): Promise<{ stop(): Promise<void> }> {
  await mkdir(dirname(socket), { recursive: true })
  const server = createServer()
  server.on('stream', (stream, headers) => {
    const isList = headers[':path'] === '/v1.PodResourcesLister/List'
    stream.on('error', () => undefined)
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': isList ? '0' : '12' }))
    stream.end(isList ? frame(listResponse(grants)) : undefined)
  })
  await new Promise<void>(resolve => server.listen(socket, resolve))
  return { stop: () => new Promise<void>(resolve => server.close(() => resolve())) }
}

/** A ListPodResourcesResponse as protocol buffer bytes. */
function listResponse(grants: Grants): Buffer {
  const pods = Object.entries(grants).map(([name, containers]) => {
    const inner = Object.entries(containers).map(([container, resources]) => {
      const devices = Object.entries(resources).map(([resource, ids]) =>
        message(2, Buffer.concat([text(1, resource), ...ids.map(id => text(2, id)), message(3, numberField(1, 7))])),
      )
      // cpu_ids (3) is a packed list of numbers, as a field that is to be passed over.
      return message(3, Buffer.concat([text(1, container), ...devices, message(3, Buffer.from([1, 2, 0x80, 1]))]))
    })
    return message(1, Buffer.concat([text(1, name), text(2, 'default'), ...inner]))
  })
  return Buffer.concat(pods)
}

function frame(content: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(content.length, 1)
  return Buffer.concat([head, content])
}

function text(field: number, value: string): Buffer {
  return message(field, Buffer.from(value))
}

function message(field: number, content: Buffer): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content])
}

function numberField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}
