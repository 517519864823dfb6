import { mkdir } from 'node:fs/promises'
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { dirname } from 'node:path'
import { bytesField, readFields, stringsOf } from '../../cni/host/protobuf.ts'

/** A sandbox as a container runtime has it. */
interface FakeSandbox {
  readonly containerId: string
  readonly podUid: string
  /** Path on the node. */
  readonly netns: string
}

/** A container runtime that knows the sandboxes it is told of, all of them ready. */
export interface FakeCri {
  sandboxes: readonly FakeSandbox[]
  /** It answers every question by an error. */
  fails: boolean
  stop(): Promise<void>
}

export async function startCri(socket: string): Promise<FakeCri> {
  await mkdir(dirname(socket), { recursive: true })
  const sessions = new Set<ServerHttp2Session>()
  const server = createServer()
  const cri: FakeCri = {
    sandboxes: [],
    fails: false,
    async stop() {
      for (const session of sessions) session.destroy()
      await new Promise<void>(resolve => server.close(() => resolve()))
    },
  }
  server.on('session', session => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  server.on('stream', (stream, headers) => serve(cri, stream, String(headers[':path'])))
  await new Promise<void>(resolve => server.listen(socket, resolve))
  return cri
}

function serve(cri: FakeCri, stream: ServerHttp2Stream, path: string): void {
  const chunks: Buffer[] = []
  stream.on('error', () => undefined)
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('end', () => {
    const answer = answerOf(cri, path, Buffer.concat(chunks).subarray(5))
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': answer === undefined ? '12' : '0' }))
    stream.end(answer === undefined ? undefined : frame(answer))
  })
}

function answerOf({ sandboxes, fails }: FakeCri, path: string, request: Uint8Array): Uint8Array | undefined {
  if (fails) return undefined
  const fields = readFields(request)
  if (path === '/runtime.v1.RuntimeService/ListPodSandbox') {
    const [filter = new Uint8Array()] = fields.get(1) ?? []
    const [label] = readFields(filter).get(3) ?? []
    const uid = label === undefined ? undefined : stringsOf(readFields(label), 2)[0]
    return Buffer.concat(sandboxes.filter(({ podUid }) => uid === undefined || podUid === uid).map(listed))
  }
  if (path !== '/runtime.v1.RuntimeService/PodSandboxStatus') return undefined
  const found = sandboxes.find(({ containerId }) => containerId === stringsOf(fields, 1)[0])
  return found && statusOf(found)
}

function listed({ containerId, podUid }: FakeSandbox): Uint8Array {
  return bytesField(1, Buffer.concat([bytesField(1, containerId), bytesField(2, bytesField(2, podUid))]))
}

function statusOf({ netns }: FakeSandbox): Uint8Array {
  const namespaces = [{ type: 'pid' }, { type: 'network', path: netns }]
  const info = JSON.stringify({ runtimeSpec: { linux: { namespaces } } })
  return bytesField(2, Buffer.concat([bytesField(1, 'info'), bytesField(2, info)]))
}

function frame(content: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(content.length, 1)
  return Buffer.concat([head, content])
}
