import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type ServerHttp2Stream } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ProtobufError } from '../../../../cni/host/protobuf.ts'
import { devicesFromKubelet, devicesIn } from '../../../../cni/kactus/pod-resources.ts'
import { field, message } from '../host/protobuf-writer.ts'
import { randomInput, tryMany } from '../random-input.ts'

const pod = { namespace: 'team', name: 'p1', uid: 'u1' }
const NIC = 'vendor.test/nic'

function devices(resource: string, ...ids: readonly string[]): Uint8Array {
  return field(2, message(field(1, resource), ...ids.map(id => field(2, id))))
}

function container(...parts: readonly Uint8Array[]): Uint8Array {
  return field(3, message(field(1, 'main'), ...parts))
}

function podOf(namespace: string, name: string, ...containers: readonly Uint8Array[]): Uint8Array {
  return field(1, message(field(1, name), field(2, namespace), ...containers))
}

const answer = message(
  podOf('team', 'p0', container(devices(NIC, 'x'))),
  podOf('other', 'p1', container(devices(NIC, 'y'))),
  podOf('team', 'p1', container(devices(NIC, 'a', 'b'), devices('vendor.test/gpu', 'g')), container(devices(NIC, 'c'))),
)

interface ReadCase {
  readonly name: string
  readonly response: Uint8Array
  readonly want: readonly string[] | undefined
}

const readCases: readonly ReadCase[] = [
  { name: 'of all containers of that pod, in order', response: answer, want: ['a', 'b', 'c'] },
  { name: 'no pods', response: new Uint8Array(), want: undefined },
  { name: 'another pod of that name', response: podOf('other', 'p1', container(devices(NIC, 'y'))), want: undefined },
  { name: 'a pod without containers', response: podOf('team', 'p1'), want: [] },
  {
    name: 'a pod with another resource',
    response: podOf('team', 'p1', container(devices('vendor.test/gpu', 'g'))),
    want: [],
  },
]

for (const { name, response, want } of readCases) {
  t.test(`devices: ${name}`, async t => {
    t.strictSame(devicesIn(response, pod, NIC), want)
  })
}

t.test('random answers are read or refused', async t => {
  const random = randomInput(73)
  const make = () => {
    const bytes = Uint8Array.from(answer)
    for (let count = random.below(4); count >= 0; count--) bytes[random.below(bytes.length)] = random.below(256)
    return bytes
  }
  const { surprises } = tryMany(
    3000,
    make,
    bytes => void devicesIn(bytes, pod, NIC),
    error => error instanceof ProtobufError,
  )
  t.strictSame(surprises, [])
})

/** A kubelet that answers every call in one way. */
async function kubelet(t: Test, respond: (stream: ServerHttp2Stream, path: string) => void): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nopal-kubelet-'))
  const socket = join(folder, 'kubelet.sock')
  const server = createServer()
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    stream.resume()
    respond(stream, String(headers[':path']))
  })
  await new Promise<void>(resolve => server.listen(socket, resolve))
  t.teardown(async () => {
    server.close()
    await rm(folder, { recursive: true, force: true })
  })
  return socket
}

function framed(content: Uint8Array, compressed = 0, length = content.length): Buffer {
  const head = Buffer.alloc(5)
  head[0] = compressed
  head.writeUInt32BE(length, 1)
  return Buffer.concat([head, content])
}

function reply(body: Uint8Array, status = '0') {
  return (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }))
    stream.end(body)
  }
}

t.test('kubelet is asked by its method', async t => {
  const paths: string[] = []
  const socket = await kubelet(t, (stream, path) => {
    paths.push(path)
    reply(framed(answer))(stream)
  })
  t.strictSame(await devicesFromKubelet(socket, pod, NIC), ['a', 'b', 'c'])
  t.strictSame(paths, ['/v1.PodResourcesLister/List'])
})

interface FaultCase {
  readonly name: string
  readonly respond: (stream: ServerHttp2Stream) => void
  readonly message: RegExp
}

const faultCases: readonly FaultCase[] = [
  { name: 'nothing', respond: reply(Buffer.alloc(0)), message: /answer is empty$/ },
  { name: 'something compressed', respond: reply(framed(answer, 1)), message: /compressed/ },
  { name: 'half an answer', respond: reply(framed(answer, 0, answer.length + 1)), message: /is cut off$/ },
  { name: 'junk', respond: reply(framed(Buffer.from([0x0a, 0xff]))), message: /is not understood/ },
  { name: 'a status', respond: reply(Buffer.alloc(0), '12'), message: /gRPC status 12$/ },
  {
    name: 'a status without a body',
    respond: stream => stream.respond({ ':status': 200, 'grpc-status': '14' }, { endStream: true }),
    message: /gRPC status 14$/,
  },
  { name: 'a closed stream', respond: stream => stream.close(2), message: /cannot be asked/ },
  { name: 'a closed connection', respond: stream => stream.session?.destroy(), message: /kubelet/ },
]

for (const { name, respond, message } of faultCases) {
  t.test(`kubelet answers ${name}`, async t => {
    const socket = await kubelet(t, respond)
    await t.rejects(devicesFromKubelet(socket, pod, NIC), { name: 'PodResourcesError', code: 'PodResources', message })
  })
}

t.test('no kubelet', async t => {
  await t.rejects(devicesFromKubelet('/none/such.sock', pod, NIC), { code: 'PodResources', message: /cannot be asked/ })
})
