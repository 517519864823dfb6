import { readFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import t from 'tap'
import { type ApiPlace, createApiPathCheck } from '../../../../agent/verify/api-path-check.ts'
import { makePki } from '../../../cluster/pki.ts'
import { runFromHost, summarize } from './run-check.ts'

const folder = t.testdir()
const pki = await makePki(join(folder, 'pki'), ['127.0.0.1', 'api.test'])
const strange = await makePki(join(folder, 'strange'), ['127.0.0.1'])
const [caPem, strangePem, cert, key] = await Promise.all(
  [pki.ca.certFile, strange.ca.certFile, pki.server.certFile, pki.server.keyFile].map(file => readFile(file, 'utf8')),
)

interface PathCase {
  readonly name: string
  readonly server: () => Server
  readonly place?: Partial<ApiPlace>
  readonly want: string
  readonly says: RegExp
}

const speaksTls = () => createTlsServer({ cert: cert ?? '', key: key ?? '' })
const cases: readonly PathCase[] = [
  { name: 'our API', server: speaksTls, want: 'api pass', says: /own certificate/ },
  { name: 'by another name', server: speaksTls, place: { tlsServerName: 'api.test' }, want: 'api pass', says: /own/ },
  {
    name: 'a name it has not',
    server: speaksTls,
    place: { tlsServerName: 'x.test' },
    want: 'api fail TLSFailed',
    says: /TLS/,
  },
  { name: 'a stranger', server: speaksTls, place: { caPem: strangePem }, want: 'api fail TLSFailed', says: /TLS/ },
  {
    name: 'a stranger, and nobody minds',
    server: speaksTls,
    place: { caPem: strangePem, insecure: true },
    want: 'api pass',
    says: /own/,
  },
  {
    name: 'an authority that is no certificate',
    server: speaksTls,
    place: { caPem: '-----BEGIN CERTIFICATE-----\njunk\n-----END CERTIFICATE-----\n' },
    want: 'api fail TLSFailed',
    says: /TLS/,
  },
  {
    name: 'another protocol',
    server: () => createServer(socket => socket.end('no TLS here\n')),
    want: 'api fail TLSFailed',
    says: /TLS/,
  },
  {
    name: 'it accepts, and then nothing comes: what a hole for large packets looks like',
    server: () => createServer(socket => socket.on('error', () => undefined)),
    want: 'api fail TimedOut',
    says: /accepts connections, but TLS gets no answer/,
  },
]

for (const row of cases) {
  t.test(`API from a pod's network: ${row.name}`, async t => {
    const sockets = new Set<{ destroy(): void }>()
    const server = row
      .server()
      .on('connection', socket => sockets.add(socket))
      .on('tlsClientError', () => undefined)
    t.teardown(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const place: ApiPlace = {
      server: `https://127.0.0.1:${port}`,
      caPem,
      tlsServerName: undefined,
      insecure: false,
      ...row.place,
    }
    const [result] = await runFromHost(
      createApiPathCheck({ limitMs: row.want.endsWith('TimedOut') ? 300 : 10_000, api: place }),
    )
    t.equal(result && summarize(result), `${row.want}: ${place.server}`)
    t.match(result?.message, row.says)
  })
}

t.test("API from a pod's network: by a relay without TLS the connection is all there is", async t => {
  const server = createServer(socket => socket.on('error', () => undefined))
  t.teardown(() => server.close())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const api = { server: url, caPem: undefined, tlsServerName: undefined, insecure: false }
  const results = await runFromHost(createApiPathCheck({ limitMs: 5000, api }))
  t.strictSame(results.map(summarize), [`api pass: ${url}`])
})

t.test("API from a pod's network: nobody listens, and no cluster", async t => {
  const place = { server: 'https://127.0.0.1:1', caPem, tlsServerName: undefined, insecure: false }
  const results = await runFromHost(createApiPathCheck({ limitMs: 5000, api: place }))
  t.strictSame(results.map(summarize), ['api fail Unreachable: https://127.0.0.1:1'])
  const none = await runFromHost(createApiPathCheck({ limitMs: 5000, api: undefined }))
  t.strictSame(none.map(summarize), ['api skip NoCluster: Kubernetes API'])
})
